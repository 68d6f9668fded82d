/* SPDX-License-Identifier: MIT */
/* msgctl doctor: this host as one that takes messages: msgd's files and systemd's units. */
#include "client/ctl_doctor.h"
#include "client/ctl_host.h"
#include "client/ctl_tcp.h"
#include "client/server.h"
#include "client/tool.h"
#include "common/mem.h"
#include "common/trust.h"

#include <pwd.h>

#define LOGIN_DEFS "/etc/login.defs"
#define TOOL_MS    10000
#define PRINTED    2048

/* ---- configuration --------------------------------------------------------------------------- */

/* Files of keys that are not there: they are a check of their own, by other rights. */
#define NO_KEYS "--authorized-keys=/nonexistent", "--revoked-keys=/nonexistent"

/* msgd as it is found, else where it is installed: a user's PATH has no sbin. */
static int test_config(const char *file, bool named, char out[static PRINTED])
{
    static const char *const names[] = {"msgd", SBINDIR "/msgd"};
    int r = -ENOENT;
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names) && r == -ENOENT; i++) {
        const char *const argv[] = {names[i], "-t", NO_KEYS, named ? "-f" : NULL, file, NULL};
        const struct tool tool = {.argv = argv, .timeout_ms = TOOL_MS, .errors_too = true};
        len = 0;
        r = tool_run(&tool, out, PRINTED - 1, &len);
    }
    out[len] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return r;
}

void doctor_CONFIG(void *context, struct finding *finding)
{
    static const char before[] = "msgd: ";
    struct patient *patient = context;
    const char *named = patient->ctl->given[CTL_FILE], *file = named ? named : CONFIG_FILE;
    struct diag diag = {.text = ""};
    char printed[PRINTED];
    int r = test_config(file, named, printed);

    if (r == -ENOENT) {
        check_fail(finding, "msgd is not on this host; where msg was built, install it");
        check_mend_as_root(finding, "make install enable");
        return;
    }
    if (r != 0) {
        const char *text =
            strncmp(printed, before, strlen(before)) == 0 ? printed + strlen(before) : printed;
        diag_set(&diag, -EBADMSG, "%s", text[0] ? text : "msgd -t does not end well");
    } else if (config_load(file, named, &patient->config, &diag) == 0 &&
               config_complete(&patient->config, LOGIN_DEFS, &diag) == 0) {
        check_ok(finding, "%s%s", file, access(file, F_OK) == 0 ? "" : ", not there: all as usual");
        return;
    }
    check_fail_diag(finding, &diag);
    if (!finding->mend[0])
        check_mend(finding, "editor %s", file);
    if (!named)
        snprintf(finding->as, sizeof(finding->as), AS_ROOT);
}

/* ---- who may send from other hosts ----------------------------------------------------------- */

/* A file that only its owner can get at says nothing to others. */
static bool is_closed(const char *path)
{
    char folder[256];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0, path);
    return access(folder, F_OK) == 0 && access(folder, R_OK | X_OK) != 0;
}

/* As msgd reads them, which is _msgd where it is a service. False: root cannot become it. */
static bool read_as_msgd(struct trust *trust)
{
    const struct passwd *msgd = geteuid() == 0 ? getpwnam("_msgd") : NULL;

    if (msgd && (setegid(msgd->pw_gid) < 0 || seteuid(msgd->pw_uid) < 0))
        return false;
    trust_refresh(trust, 1, true);
    return !msgd || (seteuid(0) == 0 && setegid(0) == 0);
}

/* What is wrong with one of the files, or NULL. */
static void tell_problem(struct finding *finding, const char *problem, bool as_root)
{
    struct diag diag;

    if (!problem)
        return;
    diag_set(&diag, -EBADMSG, "%s", problem);
    check_fail_diag(finding, &diag);
    if (!finding->mend[0] && problem[0] == '/') /* PATH: Permission denied */
        check_mend(finding, "chmod go+r %.*s", (int)strcspn(problem, ":"), problem);
    if (as_root)
        snprintf(finding->as, sizeof(finding->as), AS_ROOT);
}

void doctor_SENDERS(void *context, struct finding *finding)
{
    const struct patient *patient = context;
    const struct config *config = &patient->config;
    struct trust *trust = NULL;
    bool new = false;

    if (is_closed(config->enrolled)) {
        check_skip(finding, "only root can look at %s; type: sudo msgctl doctor", config->enrolled);
        return;
    }
    if (trust_new(&trust, config->authorized_keys, config->enrolled, config->granted,
                  config->revoked_keys) < 0 ||
        !read_as_msgd(trust))
        check_skip(finding, "not enough memory, or root cannot become _msgd");
    else
        tell_problem(finding, trust_problem(trust, &new), !patient->ctl->given[CTL_FILE]);
    if (finding->state == CHECK_OK)
        check_ok(finding, "%s, %s", config->authorized_keys, config->revoked_keys);
    trust_free(trust);
}

/* ---- what endorses the host's key ------------------------------------------------------------ */

static void tell_endorsed(struct finding *finding, const char *file,
                          const struct endorsements *endorsements)
{
    char ends[DOCTOR_ENDS], at[ENDORSEMENTS_TIME];

    doctor_ends(endorsements, ends);
    if (endorsements->list.n > 0) {
        check_ok(finding, "%zu (%s)%s", endorsements->list.n, file, ends);
        return;
    }
    if (endorsements->ended == 0) {
        check_ok(finding, "none, so clients must know the key of this host itself");
        return;
    }
    endorsements_format_time(endorsements->ended, at);
    check_fail(finding,
               "the last one ended on %s (%s). Have it signed anew by the organisation, or "
               "by the ssh key of this host:",
               at, file);
    check_mend_as_root(finding, "msgctl key endorse --host");
}

void doctor_ENDORSED(void *context, struct finding *finding)
{
    static struct endorsements endorsements; /* large */
    const struct patient *patient = context;
    const struct config *config = &patient->config;
    struct noise_public key;
    struct diag diag;

    if (is_closed(config->host_key)) {
        check_skip(finding, "only root can look at %s; type: sudo msgctl doctor", config->host_key);
        return;
    }
    int r = ctl_host_read_key(config->host_key, &key, &diag);
    if (r == -ENOENT) {
        check_ok(finding, "none: this host has no key yet");
        return;
    }
    if (r == -EBADMSG) {
        check_fail(finding, "%s. Restore it from a backup: every client has to trust a new one",
                   diag.text);
        check_mend_as_root(finding, "mv %s %s.broken", config->host_key, config->host_key);
        return;
    }
    if (r == 0)
        r = endorsements_load(config->host_endorsements, ENDORSEMENT_HOST, &key,
                              (int64_t)time(NULL), &endorsements, &diag);
    if (r == 0) {
        tell_endorsed(finding, config->host_endorsements, &endorsements);
        return;
    }
    check_fail_diag(finding, &diag);
    if (!finding->mend[0])
        check_mend(finding, "msgctl key endorse --host");
    snprintf(finding->as, sizeof(finding->as), AS_ROOT);
}

/* ---- units ----------------------------------------------------------------------------------- */

struct unit {
    char load[32], active[32], enabled[32];
};

static void take_value(const char *printed, const char *key, char out[static 32])
{
    const char *at = strstr(printed, key);

    snprintf(out, 32, "%.*s", at ? (int)strcspn(at + strlen(key), "\n") : 0,
             at ? at + strlen(key) : "");
}

/* False, and said so: it cannot be told here. */
static bool find_unit(const struct patient *patient, struct finding *finding, const char *name,
                      struct unit *ret_unit)
{
    const char *const argv[] = {"systemctl", "show", "-p", "LoadState,ActiveState,UnitFileState",
                                name,        NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = TOOL_MS, .quiet = true};
    char printed[PRINTED];
    size_t len = 0;

    if (strcmp(patient->run->server.socket, SERVER_SOCKET) != 0) {
        check_skip(finding, "a msgd of your own is meant, at %s", patient->run->server.socket);
        return false;
    }
    if (tool_run(&tool, printed, sizeof(printed) - 1, &len) != 0) {
        check_skip(finding, "systemd does not run this host, or does not say");
        return false;
    }
    printed[len] = '\0';
    take_value(printed, "LoadState=", ret_unit->load);
    take_value(printed, "ActiveState=", ret_unit->active);
    take_value(printed, "UnitFileState=", ret_unit->enabled);
    return true;
}

/* Not there, masked, or failed: the same for all. */
static bool is_usable(struct finding *finding, const char *name, const struct unit *unit)
{
    if (strcmp(unit->load, "masked") == 0) {
        check_fail(finding, "masked, that is, switched off for good");
        check_mend_as_root(finding, "systemctl unmask %s", name);
    } else if (strcmp(unit->load, "loaded") != 0) {
        check_fail(finding, "there is no such unit; where msg was built, install it");
        check_mend_as_root(finding, "make install enable");
    } else if (strcmp(unit->active, "failed") == 0) {
        check_fail(finding, "failed; why: journalctl -u %s", name);
        check_mend_as_root(finding, "systemctl restart %s", name);
    } else {
        return true;
    }
    return false;
}

void doctor_UNIT(void *context, struct finding *finding)
{
    static const char name[] = "msgd.socket";
    struct unit unit;

    if (!find_unit(context, finding, name, &unit) || !is_usable(finding, name, &unit))
        return;
    check_ok(finding, "%s, %s", unit.enabled, unit.active);
    if (strcmp(unit.active, "active") == 0 && strcmp(unit.enabled, "enabled") == 0)
        return;
    finding->state = CHECK_FAILS;
    check_mend_as_root(finding, "systemctl enable --now %s", name);
}

void doctor_PRESENTER(void *context, struct finding *finding)
{
    static const char name[] = "msgd-present.socket";
    struct unit unit;

    if (find_unit(context, finding, name, &unit) && is_usable(finding, name, &unit))
        check_ok(finding, "%s%s", unit.active,
                 strcmp(unit.active, "active") == 0 ? "" : ", is started with msgd");
}

void doctor_TCP(void *context, struct finding *finding)
{
    static const char name[] = "msgd-tcp.socket";
    const struct patient *patient = context;
    struct unit unit;

    if (!find_unit(patient, finding, name, &unit) || !is_usable(finding, name, &unit))
        return;
    bool enabled = strcmp(unit.enabled, "enabled") == 0,
         active = strcmp(unit.active, "active") == 0;
    if (!enabled && !active && patient->config.listen[0])
        check_skip(finding, "off; msgd.conf says where to listen: %s", patient->config.listen);
    else if (!enabled && !active)
        check_skip(finding, "off: no other host can send here; to switch it on: " CTL_TCP_ON);
    else
        check_ok(finding, "%s, %s", unit.enabled, unit.active);
    if (enabled == active)
        return;
    check_fail(finding, "%s, but %s", unit.enabled, unit.active);
    check_mend_as_root(finding, CTL_TCP_ON);
}
