/* SPDX-License-Identifier: MIT */
#include "common/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 511

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } u;
    bool is_unix;
    bool failed; /* never became one: nobody is told of its end */
    const struct listener_owner *owner;
    void *context;
};

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;

    if (!listener->failed)
        listener->owner->closed(listener->context, listener);
    free(listener);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct listener *listener = server->data;

    if (status == 0)
        listener->owner->incoming(listener->context, listener);
}

static int new_listener(struct listener **ret_listener, uv_loop_t *loop, bool is_unix,
                        const struct listener_owner *owner, void *context)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (listener == NULL)
        return -ENOMEM;
    listener->is_unix = is_unix;
    listener->owner = owner;
    listener->context = context;
    int result =
        is_unix ? uv_pipe_init(loop, &listener->u.pipe, 0) : uv_tcp_init(loop, &listener->u.tcp);
    if (result < 0) {
        free(listener);
        return result;
    }
    listener->u.handle.data = listener;
    *ret_listener = listener;
    return 0;
}

/* Listens, if binding went well; else closes. */
static int start(struct listener **ret_listener, struct listener *listener, int result)
{
    if (result == 0)
        result = uv_listen(&listener->u.stream, BACKLOG, on_connection);
    if (result < 0) {
        listener->failed = true;
        uv_close(&listener->u.handle, on_closed);
        return result;
    }
    *ret_listener = listener;
    return 0;
}

/* Removes a socket that a dead process left; 0, or -EADDRINUSE if somebody answers there. */
static int remove_dead_socket(const struct sockaddr_un *address)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EADDRINUSE;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    int error = errno;
    close(fd);
    if (result == 0 || error != ECONNREFUSED)
        return -EADDRINUSE;
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_unix(struct listener *listener, const struct sockaddr_un *address)
{
    int result = remove_dead_socket(address);
    if (result == 0)
        result = uv_pipe_bind(&listener->u.pipe, address->sun_path);
    /* Who may do what is decided by the peer's credentials, so everybody may connect. */
    if (result == 0 && chmod(address->sun_path, 0666) < 0)
        result = -errno;
    return result;
}

int listener_open(struct listener **ret_listener, uv_loop_t *loop, const struct sockaddr *address,
                  const struct listener_owner *owner, void *context)
{
    struct listener *listener;

    int result = new_listener(&listener, loop, address->sa_family == AF_UNIX, owner, context);
    if (result < 0)
        return result;
    if (listener->is_unix)
        result = bind_unix(listener, (const struct sockaddr_un *)(const void *)address);
    else
        result = uv_tcp_bind(&listener->u.tcp, address,
                             address->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
    return start(ret_listener, listener, result);
}

int listener_open_fd(struct listener **ret_listener, uv_loop_t *loop, int fd,
                     const struct listener_owner *owner, void *context)
{
    struct listener *listener;
    int domain;
    socklen_t len = sizeof(domain);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
        return -errno;
    int result = new_listener(&listener, loop, domain == AF_UNIX, owner, context);
    if (result < 0)
        return result;
    result =
        listener->is_unix ? uv_pipe_open(&listener->u.pipe, fd) : uv_tcp_open(&listener->u.tcp, fd);
    return start(ret_listener, listener, result);
}

bool listener_is_unix(const struct listener *listener)
{
    return listener->is_unix;
}

int listener_address(const struct listener *listener, struct sockaddr_storage *ret_address)
{
    int len = sizeof(*ret_address);

    if (listener->is_unix)
        return -ENOTSUP;
    return uv_tcp_getsockname(&listener->u.tcp, (struct sockaddr *)ret_address, &len);
}

int listener_accept(struct stream **ret_stream, struct listener *listener,
                    const struct stream_config *config)
{
    return stream_accept(ret_stream, &listener->u.stream, listener->is_unix, config);
}

void listener_close(struct listener *listener)
{
    uv_close(&listener->u.handle, on_closed);
}
