/* SPDX-License-Identifier: MIT */
/*
 * msgd: takes messages from this host's users and, where it is switched on, from other hosts;
 * judges who may send what to whom; and has msgd-present show it. This file joins the modules to
 * one loop.
 */
#include "common/keys.h"
#include "common/mem.h"
#include "daemon/net_listen.h"
#include "daemon/net_options.h"
#include "daemon/net_screens.h"
#include "daemon/net_systemd.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PATIENCE_MS 1000 /* for the presenter's first list, before anybody is let in */

struct daemon {
    struct server server;
    struct options options;
    struct settings settings;
    int n_fds;
    bool listening;
    uv_timer_t patience, alive;
    uv_signal_t hangup, terminate, interrupt;
    uv_work_t reload;
    bool reloading;
    struct settings reloaded;
    int reload_result;
    struct diag reload_diag;
};

/* ---- configuration in use -------------------------------------------------------------------- */

static unsigned most_connections(const struct config *config)
{
    struct rlimit files;
    uint64_t most = config->connections;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < most + LIM_FD_RESERVE)
        most = files.rlim_cur > LIM_FD_RESERVE ? files.rlim_cur - LIM_FD_RESERVE : 1;
    return (unsigned)most;
}

static void apply(struct daemon *daemon, const struct settings *settings)
{
    struct server *server = &daemon->server;

    daemon->settings = *settings;
    server->config = settings->config;
    server->policy = (struct rights_policy){
        .uid_min = (uint32_t)settings->config.uid_min,
        .listed = daemon->settings.listed,
        .n_listed = settings->n_listed,
        .has_group = settings->has_group,
        .group = settings->group,
    };
    server->max_conns = most_connections(&settings->config);
    server_apply_config(server);
}

static void load_again(uv_work_t *work)
{
    struct daemon *daemon = work->data;

    daemon->reload_result =
        settings_load(&daemon->options, &daemon->reloaded, &daemon->reload_diag);
}

/* Paths and addresses are those of the start: sockets do not move under those who use them. */
static void on_loaded_again(uv_work_t *work, int status)
{
    struct daemon *daemon = work->data;

    (void)status;
    daemon->reloading = false;
    if (daemon->listening && !daemon->server.stopping)
        systemd_notify("READY=1");
    if (daemon->reload_result < 0) {
        log_error("configuration kept as it was: %s", daemon->reload_diag.text);
        return;
    }
    apply(daemon, &daemon->reloaded);
    server_check_trust(&daemon->server, true);
    log_info("configuration read again");
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    (void)number;
    daemon->reload.data = daemon;
    if (daemon->reloading || daemon->server.stopping ||
        uv_queue_work(handle->loop, &daemon->reload, load_again, on_loaded_again) < 0)
        return;
    daemon->reloading = true;
    if (daemon->listening)
        systemd_notify_reloading();
}

/* ---- the beginning and the end --------------------------------------------------------------- */

static struct daemon *daemon_of(struct server *server)
{
    return (struct daemon *)((char *)server - offsetof(struct daemon, server));
}

static void on_server_stop(struct server *server)
{
    struct daemon *daemon = daemon_of(server);

    uv_close((uv_handle_t *)&daemon->patience, NULL);
    server->hanging |= daemon->reloading;
    systemd_notify("STOPPING=1");
}

/* Signals stay ours until all is said: unwatched, the next SIGTERM would kill us in the middle. */
static void on_server_end(struct server *server)
{
    struct daemon *daemon = daemon_of(server);

    uv_close((uv_handle_t *)&daemon->alive, NULL);
    uv_close((uv_handle_t *)&daemon->hangup, NULL);
    uv_close((uv_handle_t *)&daemon->terminate, NULL);
    uv_close((uv_handle_t *)&daemon->interrupt, NULL);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    log_debug("signal %d", number);
    server_stop(&daemon->server, 0);
}

/* Only when messages can be shown, or it is known that they cannot yet, is anybody let in. */
static void let_in(struct daemon *daemon)
{
    if (daemon->listening || daemon->server.stopping)
        return;
    daemon->listening = true;
    uv_timer_stop(&daemon->patience);
    if (listen_all(&daemon->server, daemon->n_fds) < 0)
        server_stop(&daemon->server, 1);
    else
        systemd_notify("READY=1");
}

static void on_presenter_ready(struct server *server)
{
    let_in(daemon_of(server));
}

static void on_patience_end(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    log_warning("msgd-present does not answer yet%s%s", daemon->server.embedded ? "" : " at ",
                daemon->server.embedded ? "" : daemon->server.config.present);
    let_in(daemon);
}

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
    systemd_notify("WATCHDOG=1");
}

/* Said by the loop, and so only while it turns. */
static void keep_alive(struct daemon *daemon, uv_loop_t *loop)
{
    uint64_t every_ms = systemd_watchdog_ms();

    uv_timer_init(loop, &daemon->alive);
    if (every_ms > 0)
        uv_timer_start(&daemon->alive, on_alive, every_ms, every_ms);
}

static void watch_signals(struct daemon *daemon, uv_loop_t *loop)
{
    uv_signal_init(loop, &daemon->hangup);
    uv_signal_init(loop, &daemon->terminate);
    uv_signal_init(loop, &daemon->interrupt);
    uv_timer_init(loop, &daemon->patience);
    daemon->hangup.data = daemon->terminate.data = daemon->interrupt.data = daemon;
    daemon->patience.data = daemon;
    uv_signal_start(&daemon->hangup, on_hangup, SIGHUP);
    uv_signal_start(&daemon->terminate, on_stop_signal, SIGTERM);
    uv_signal_start(&daemon->interrupt, on_stop_signal, SIGINT);
    uv_timer_start(&daemon->patience, on_patience_end, PATIENCE_MS, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write that does not fit says so itself */
}

static int load_host_key(struct server *server, int n_fds)
{
    struct diag diag;
    bool made = false;

    if (!listen_needs_key(&server->config, n_fds))
        return 0;
    int r = key_load_or_make(server->config.host_key, &server->host_key, &made, &diag);
    if (r < 0)
        log_error("host key: %s", diag.text);
    else if (made)
        log_notice("made a host key: %s", server->config.host_key);
    return r;
}

static void say_key(const struct server *server)
{
    char text[KEY_TEXT_LEN + 1];

    if (!server->host_key)
        return;
    key_format(&server->host_key->public, text);
    log_info("host key %s", text);
}

/* Until the loop has nothing left; or only a name service that does not answer. */
static void run_loop(const struct server *server, uv_loop_t *loop)
{
    while (uv_run(loop, UV_RUN_ONCE)) {
        if (server->hanging && server->handles == 0 && !server->conns && !server->presenter)
            return;
    }
}

static int run(struct daemon *daemon, uv_loop_t *loop)
{
    struct server *server = &daemon->server;

    daemon->n_fds = systemd_listen_fds();
    server->on_ready = on_presenter_ready;
    server->on_stop = on_server_stop;
    server->on_end = on_server_end;
    if (load_host_key(server, daemon->n_fds) < 0 || server_init(server, loop) < 0)
        return 1;
    say_key(server);
    watch_signals(daemon, loop);
    keep_alive(daemon, loop);
    int r = screens_start(server, daemon->options.present_fd);
    if (r < 0) {
        log_error("msgd-present: %s", strerror(-r));
        server_stop(&daemon->server, 1);
    }
    run_loop(server, loop);
    return server->status;
}

/* ---- -t -------------------------------------------------------------------------------------- */

/*
 * The files of keys as they would be read now; each fault is said. enrolled is msgd's own affair.
 */
static int test_keys(const struct config *config)
{
    struct trust *trust;
    bool is_new = true;
    int faults = 0;

    if (trust_new(&trust, config->authorized_keys, "", "", config->revoked_keys) < 0)
        return -ENOMEM;
    trust_refresh(trust, 0, true);
    for (;;) {
        const char *problem = trust_problem(trust, &is_new);
        if (!is_new)
            break;
        log_error("%s", problem);
        faults++;
    }
    trust_free(trust);
    return faults > 0 ? -EBADMSG : 0;
}

/* ---- the process ----------------------------------------------------------------------------- */

static void confine(void)
{
    struct rlimit files;

    umask(077);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int complain(const char *reason)
{
    log_error("%s", reason);
    return 1;
}

static int serve(struct daemon *daemon)
{
    if (geteuid() == 0)
        return complain("msgd does not run as root: start it by systemctl start msgd, or by "
                        "msgd-present --with-msgd");
    log_never_wait(); /* before confine() takes /proc/self away */
    confine();
    if (sodium_init() < 0)
        return complain("libsodium does not start");
    hash_start();
    apply(daemon, &daemon->settings);
    int status = run(daemon, uv_default_loop());
    if (daemon->server.hanging) {
        fflush(NULL);
        _exit(status); /* the thread that still asks for a name is not waited for */
    }
    server_free(&daemon->server);
    uv_loop_close(uv_default_loop());
    return status;
}

int main(int argc, char **argv)
{
    static struct daemon daemon;
    struct diag diag;

    log_start("msgd", LOG_INFO, LOG_STYLE_AUTO);
    if (options_parse(argc, argv, &daemon.options, &diag) < 0) {
        log_error("%s", diag.text);
        fputs(options_usage, stderr);
        return 2;
    }
    if (daemon.options.mode == MODE_HELP)
        return fputs(options_usage, stdout) < 0;
    if (daemon.options.mode == MODE_VERSION)
        return puts(PACKAGE_STRING) < 0;
    log_start("msgd", daemon.options.debug ? LOG_DEBUG : LOG_INFO, LOG_STYLE_AUTO);
    if (settings_load(&daemon.options, &daemon.settings, &diag) < 0)
        return complain(diag.text);
    if (daemon.options.mode == MODE_DUMP)
        config_dump(&daemon.settings.config, stdout);
    if (daemon.options.mode == MODE_TEST && test_keys(&daemon.settings.config) < 0)
        return 1;
    if (daemon.options.mode != MODE_RUN)
        return 0;
    return serve(&daemon);
}
