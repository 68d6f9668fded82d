/* SPDX-License-Identifier: MIT */
/* msg: sends a message to people's login sessions and tells what became of it. */
#include "client/inbox.h"
#include "client/interrupt.h"
#include "client/send.h"
#include "client/server.h"
#include "common/mem.h"
#include "common/msg_conf.h"

#include <dirent.h>
#include <locale.h>
#include <sodium.h>

/* ---- the command line ------------------------------------------------------------------------ */

static const char *next_name(void *context)
{
    DIR *folder = context;
    const struct dirent *entry = folder ? readdir(folder) : NULL;

    return entry ? entry->d_name : NULL;
}

static int refuse(const struct speaker *speaker, const char *why)
{
    speak(speaker, LINE_INVALID, NULL);
    speak(speaker, LINE_COMPLAINT, &(struct line_fields){.message = slice_of(why)});
    fputc('\n', speaker->err);
    options_usage(speaker->err);
    return EXIT_USAGE;
}

static int read_options(int argc, char **argv, const struct speaker *speaker,
                        struct options *options)
{
    DIR *folder = opendir(".");
    const struct options_folder reader = {next_name, folder};
    struct options_report report;
    bool good = options_parse(argc, (const char *const *)argv, &reader, options, &report);

    if (folder)
        closedir(folder);
    if (!good)
        return refuse(speaker, report.error);
    if (report.note[0])
        speak(speaker, LINE_REMARK, &(struct line_fields){.message = slice_of(report.note)});
    return EXIT_DONE;
}

/* ---- where to -------------------------------------------------------------------------------- */

static int find_server(struct run *run, const struct options *options, const struct msg_conf *conf)
{
    const char *typed = options->given[OPT_SERVER], *alias, *error = NULL;
    char why[400];

    if (!typed) {
        if (server_local(options->given[OPT_SOCKET], getenv("MSG_SOCKET"), &run->server))
            return EXIT_DONE;
        return refuse(&run->speaker, "the path of the socket is too long");
    }
    alias = msg_conf_alias(conf, typed);
    if (server_parse(alias ? alias : typed, &run->server, &error))
        return EXIT_DONE;
    snprintf(why, sizeof(why), "/SERVER:%.200s: %s", typed, error);
    return refuse(&run->speaker, why);
}

/* A home that cannot be found means no configuration here; over TCP it is told later. */
static int load_conf(struct run *run, struct msg_conf *conf)
{
    struct diag diag;

    if (paths_find(NULL, &run->paths, NULL) < 0 ||
        msg_conf_load(run->paths.msg_conf, conf, &diag) == 0)
        return EXIT_DONE;
    speak(&run->speaker, LINE_COMPLAINT, &(struct line_fields){.message = slice_of(diag.text)});
    return EXIT_USAGE;
}

static int act(struct run *run, const struct options *options, const struct msg_conf *conf)
{
    int status = find_server(run, options, conf);

    if (status != EXIT_DONE)
        return status;
    if (options->given[OPT_ACK])
        return inbox_ack(run, options);
    if (options->given[OPT_LIST])
        return inbox_list(run, options);
    return send_message(run, options, conf->default_time_s * 1000);
}

int main(int argc, char **argv)
{
    static struct run run;
    struct msg_conf conf = {.default_time_s = 0};
    struct options options;
    int status;

    interrupt_start();
    setlocale(LC_CTYPE, "");
    run.speaker.out = stdout;
    run.speaker.err = stderr;
    run.speaker.base.program = SLICE("msg");
    status = read_options(argc, argv, &run.speaker, &options);
    if (status != EXIT_DONE)
        return status;
    if (options.given[OPT_HELP]) {
        options_usage(stdout);
        return EXIT_DONE;
    }
    if (options.given[OPT_VERSION]) {
        puts("msg " PACKAGE_VERSION);
        return EXIT_DONE;
    }
    if (sodium_init() < 0)
        return EXIT_UNREACHABLE;
    run.speaker.verbose = options.given[OPT_VERBOSE] != NULL;
    status = load_conf(&run, &conf);
    if (status == EXIT_DONE)
        status = act(&run, &options, &conf);
    run_end(&run);
    msg_conf_free(&conf);
    return run_leave(status);
}
