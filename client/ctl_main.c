/* SPDX-License-Identifier: MIT */
#include "client/ctl.h"
#include "client/interrupt.h"
#include "client/run.h"
#include "common/log.h"

#include <locale.h>
#include <sodium.h>
#include <stdlib.h>

/* Everything that looks for the caller's files asks for this variable. */
static bool move_files(const struct ctl *ctl)
{
    const char *folder = ctl->given[CTL_CONFIG];
    return !folder || setenv("MSG_CONFIG_HOME", folder, 1) == 0;
}

static int run(const struct ctl *ctl)
{
    if (ctl->given[CTL_HELP]) {
        ctl_usage(stdout, ctl->command);
        return CTL_OK;
    }
    if (ctl->given[CTL_VERSION]) {
        puts("msgctl " PACKAGE_VERSION);
        return CTL_OK;
    }
    if (sodium_init() < 0 || !move_files(ctl)) {
        log_error("not enough memory");
        return CTL_FAILED;
    }
    return ctl->command->run(ctl);
}

int main(int argc, char **argv)
{
    struct ctl ctl;
    char error[256];
    interrupt_start();
    setlocale(LC_ALL, "");
    log_start("msgctl", LOG_INFO, LOG_STYLE_PLAIN);
    if (ctl_parse(argc, (const char *const *)argv, &ctl, error, sizeof(error)) < 0) {
        log_error("%s", error);
        log_error("msgctl --help tells what there is");
        return CTL_USAGE;
    }
    int status = run(&ctl);
    return run_leave(fflush(stdout) == 0 || status != CTL_OK ? status : CTL_FAILED);
}
