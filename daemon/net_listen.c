/* SPDX-License-Identifier: MIT */
#include "daemon/net_listen.h"

#include "daemon/net_conn.h"
#include "daemon/net_systemd.h"

#include <errno.h>
#include <netdb.h>

static void on_incoming(void *owner, struct listener *listener)
{
    conn_incoming(owner, listener);
}

static void on_closed(void *owner, struct listener *listener)
{
    (void)owner;
    (void)listener;
}

static const struct listener_owner owner = {.incoming = on_incoming, .closed = on_closed};

static void name_address(const struct sockaddr *address, char *text, size_t size)
{
    char host[64], port[16];

    if (address->sa_family == AF_UNIX)
        snprintf(text, size, "%s", ((const struct sockaddr_un *)(const void *)address)->sun_path);
    else if (getnameinfo(address, sizeof(struct sockaddr_storage), host, sizeof(host), port,
                         sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(text, size, "%s port %s", host, port);
}

/* Says what it is bound to, with the port that the kernel chose. */
static void enter(struct server *server, struct listener *listener, const char *name)
{
    struct sockaddr_storage bound;
    char text[128];

    if (listener_address(listener, &bound) == 0)
        name_address((const struct sockaddr *)&bound, text, sizeof(text));
    else
        snprintf(text, sizeof(text), "%s", name);
    log_info("listening on %s", text);
    server->listeners[server->n_listeners++] = listener;
}

static int open_one(struct server *server, const struct sockaddr *address)
{
    struct listener *listener;
    char name[128] = "";

    name_address(address, name, sizeof(name));
    int r = server->n_listeners == SERVER_LISTENERS
                ? -E2BIG
                : listener_open(&listener, server->loop, address, &owner, server);
    if (r < 0)
        log_error("cannot listen on %s: %s", name, strerror(-r));
    else
        enter(server, listener, name);
    return r;
}

static int open_unix(struct server *server)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct sockaddr_un *address = (struct sockaddr_un *)&storage;

    _Static_assert(sizeof(server->config.socket) <= sizeof(address->sun_path), "a path is cut");
    snprintf(address->sun_path, sizeof(address->sun_path), "%s", server->config.socket);
    return open_one(server, (const struct sockaddr *)address);
}

static int take_fds(struct server *server, int n_fds, bool *ret_unix)
{
    bool is_unix = false;

    for (int i = 0; i < n_fds; i++) {
        struct listener *listener;
        int r = listener_open_fd(&listener, server->loop, SYSTEMD_FIRST_FD + i, &owner, server);
        if (r < 0) {
            log_error("socket %d of systemd: %s", i, strerror(-r));
            return r;
        }
        is_unix |= listener_is_unix(listener);
        enter(server, listener, "systemd's socket");
    }
    *ret_unix = is_unix;
    return 0;
}

int listen_all(struct server *server, int n_fds)
{
    struct slice rest = slice_of(server->config.listen);
    struct sockaddr_storage address;
    bool has_unix = false;
    int r = take_fds(server, n_fds, &has_unix);

    if (r == 0 && !has_unix && server->config.socket[0])
        r = open_unix(server);
    while (r == 0 && config_listen_next(&rest, &address))
        r = open_one(server, (const struct sockaddr *)&address);
    return r;
}

bool listen_needs_key(const struct config *config, int n_fds)
{
    for (int i = 0; i < n_fds; i++) {
        int domain = AF_UNIX;
        socklen_t len = sizeof(domain);
        getsockopt(SYSTEMD_FIRST_FD + i, SOL_SOCKET, SO_DOMAIN, &domain, &len);
        if (domain != AF_UNIX)
            return true;
    }
    return config->listen[0] != '\0';
}
