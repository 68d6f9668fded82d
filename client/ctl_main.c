/* SPDX-License-Identifier: MIT */
#include "client/ctl.h"

#include "common/log.h"

#include <locale.h>
#include <sodium.h>

int main(int argc, char **argv)
{
    struct ctl ctl;
    char error[256];
    setlocale(LC_CTYPE, "");
    log_start("msgctl", LOG_INFO, LOG_STYLE_PLAIN);
    if (ctl_parse(argc, (const char *const *)argv, &ctl, error, sizeof(error)) < 0) {
        log_error("%s", error);
        log_error("msgctl --help tells what there is");
        return CTL_USAGE;
    }
    if (ctl.given[CTL_HELP])
        ctl_usage(stdout, ctl.command);
    else if (ctl.given[CTL_VERSION])
        printf("msgctl %s\n", PACKAGE_VERSION);
    if (!ctl.given[CTL_HELP] && !ctl.given[CTL_VERSION]) {
        if (sodium_init() < 0) {
            log_error("libsodium does not start");
            return CTL_FAILED;
        }
        int status = ctl.command->run(&ctl);
        return fflush(stdout) == 0 || status != CTL_OK ? status : CTL_FAILED;
    }
    return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}
