/* SPDX-License-Identifier: MIT */
/* msgctl doctor: the caller's own files. */
#include "client/ctl_doctor.h"
#include "common/file.h"
#include "common/mem.h"

void doctor_FILES(void *context, struct finding *finding)
{
    struct patient *patient = context;
    struct paths *paths = &patient->run->paths;
    struct diag diag;
    struct stat st;
    int r = paths_find(NULL, paths, &diag);
    bool there = r == 0 && stat(paths->folder, &st) == 0;

    if (there)
        r = file_judge(paths->folder, &st, FILE_TRUSTED, &diag);
    r = r < 0 ? r : msg_conf_load(paths->msg_conf, &patient->conf, &diag);
    if (r == 0) {
        check_ok(finding, "%s%s", paths->folder, there ? "" : " (not there yet, nor needed)");
        return;
    }
    check_fail_diag(finding, &diag);
    if (!finding->mend[0])
        check_mend(finding, "ls -ld %s %s", paths->folder, paths->msg_conf);
}

void doctor_KEY(void *context, struct finding *finding)
{
    struct patient *patient = context;
    struct run *run = patient->run;
    struct diag diag;
    bool made = false;

    if (run_load_key(run, &made, &diag) == 0) {
        check_ok(finding, "%s (%s%s)", run->key, run->paths.identity,
                 made ? ", made just now" : "");
        return;
    }
    check_fail_diag(finding, &diag);
    if (!finding->mend[0])
        check_mend(finding, "ls -ld %s %s", run->paths.folder, run->paths.identity);
}

void doctor_ends(const struct endorsements *endorsements, char out[static DOCTOR_ENDS])
{
    struct endorsement_end ends[LIM_ENDORSEMENTS];
    size_t n = endorsements_ends(endorsements, ends), len = 0;
    int64_t now_s = (int64_t)time(NULL);

    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        char by[SSH_KEY_TEXT_LEN + 1], at[ENDORSEMENTS_TIME];
        if (now_s < ends[i].soon)
            continue;
        ssh_key_format(&ends[i].by, by);
        endorsements_format_time(ends[i].at, at);
        len += (size_t)snprintf(out + len, DOCTOR_ENDS - len,
                                "; that by %s ends on %s: have it "
                                "signed anew",
                                by, at);
    }
}

void doctor_ENDORSEMENTS(void *context, struct finding *finding)
{
    struct patient *patient = context;
    struct run *run = patient->run;
    struct diag diag;

    if (run_load_endorsements(run, &diag) == 0) {
        size_t n = run->endorsements.list.n;
        char ends[DOCTOR_ENDS];
        doctor_ends(&run->endorsements, ends);
        if (n > 0)
            check_ok(finding, "%zu of your key (%s, %s)%s", n, run->paths.endorsements,
                     SYSTEM_ENDORSEMENTS, ends);
        else
            check_ok(finding, "none of your key, so a host must list the key itself");
        return;
    }
    bool systems = strstr(diag.text, SYSTEM_ENDORSEMENTS);
    const char *file = systems ? SYSTEM_ENDORSEMENTS : run->paths.endorsements;
    check_fail_diag(finding, &diag);
    if (!finding->mend[0])
        check_mend(finding, "mv %s %s.broken", file, file);
    if (systems)
        snprintf(finding->as, sizeof(finding->as), AS_ROOT);
}

/* The look-up ends with the first file that has the name; every line of both is to be sound. */
static bool read_all(struct run *run)
{
    const struct noise_public nobodys = {{0}};
    const struct any_key key = any_key_static(&nobodys);
    struct known_host_match match;

    return !run->trust.broken &&
           known_hosts_marked(run->trust.files, KNOWN_HOST_REVOKED, run->trust.host, &key, &match,
                              &run->trust.diag) >= 0;
}

void doctor_KNOWN_HOSTS(void *context, struct finding *finding)
{
    struct patient *patient = context;
    struct run *run = patient->run;

    run_find_trust(run);
    if (read_all(run)) {
        check_ok(finding, "%s%s", run->paths.known_hosts,
                 trust_has_name(&run->trust) ? ", or the system's, has the host" : "");
        return;
    }
    check_fail_diag(finding, &run->trust.diag);
    if (strstr(run->trust.diag.text, SYSTEM_KNOWN_HOSTS))
        snprintf(finding->as, sizeof(finding->as), AS_ROOT);
    if (!finding->mend[0])
        check_mend(finding, "ls -l %s %s", run->paths.known_hosts, SYSTEM_KNOWN_HOSTS);
}
