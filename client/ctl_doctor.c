/* SPDX-License-Identifier: MIT */
/*
 * msgctl doctor: what keeps messages from a host, step by step, each with the line that mends it.
 */
#include "client/ctl_doctor.h"

#include "client/server.h"
#include "common/log.h"
#include "common/mem.h"

static const check_function FUNCTIONS[CHECKS] = {
#define CHECK(ID, ...) doctor_##ID,
#include "client/doctor.def"
};

const char *doctor_host_word(const struct patient *patient, char out[static 260])
{
    snprintf(out, 260, "%s%s", patient->host ? " " : "", patient->host ? patient->host : "");
    return out;
}

/* Which socket is said by the command line; of a HOST the name is a check of its own. */
static int begin(struct patient *patient)
{
    struct run *run = patient->run;

    run->speaker = (struct speaker){.out = stdout, .err = stderr};
    run->speaker.base.program = SLICE("msgctl");
    if (!run_start_loop(run)) {
        log_error("not enough memory");
        return CTL_FAILED;
    }
    if (patient->host)
        return CTL_OK;
    int status = ctl_find_server(patient->ctl, NULL, &run->server);
    run_set_host(run);
    return status;
}

int ctl_doctor(const struct ctl *ctl)
{
    static struct run run;
    static struct patient patient;
    const char *host = ctl->n_words > 0 ? ctl->words[0] : NULL;
    const struct doctor doctor = {
        .local = !host, .host = run.server.host, .json = ctl->json, .out = stdout};
    bool stopped = false;

    patient = (struct patient){.ctl = ctl, .host = host, .run = &run};
    int status = begin(&patient);
    if (status == CTL_OK)
        status = doctor_run(&doctor, FUNCTIONS, &patient, &stopped);
    if (patient.resolved)
        uv_freeaddrinfo(patient.resolved);
    msg_conf_free(&patient.conf);
    run_end(&run);
    return stopped ? EXIT_SIGNAL + run.signal : status;
}
