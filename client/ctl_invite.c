/* SPDX-License-Identifier: MIT */
/*
 * msgctl invite: an invitation is made, its ticket kept for msgd, and its text printed. The secret
 * is on standard output and nowhere else.
 */
#include "client/ctl_host.h"
#include "client/ctl_invitations.h"
#include "client/ctl_line.h"
#include "client/ctl_tcp.h"
#include "client/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/ticket_file.h"
#include "common/values.h"

#include <grp.h>
#include <sodium.h>
#include <sys/stat.h>
#include <time.h>

#define MSGD_GROUP "_msgd"

/* Files made in it get msgd's group: that is what the set-group-ID bit does. */
static int give_to_msgd(const char *folder)
{
    const struct group *group = getgrnam(MSGD_GROUP);

    if (!group)
        return -ESRCH;
    if (chown(folder, 0, group->gr_gid) < 0 || chmod(folder, 02750) < 0)
        return mem_errno();
    return 0;
}

static bool make_folder(const char *folder)
{
    if (mkdir(folder, 0750) < 0) {
        if (errno == EEXIST)
            return true;
        log_error("%s: %s%s", folder, strerror(errno), errno == EACCES ? "; run this as root" : "");
        return false;
    }
    int r = geteuid() == 0 ? give_to_msgd(folder) : 0;
    if (r == 0)
        return true;
    log_error("%s: %s", folder, r == -ESRCH ? "there is no group " MSGD_GROUP : strerror(-r));
    rmdir(folder);
    return false;
}

/* The ticket's life and rights, as the command line has them. */
static int fill_ticket(const struct ctl *ctl, struct ticket *ticket)
{
    uint64_t for_ms = INVITATION_LONGEST * UINT64_C(1000);
    char line[LIM_TRUST_LINE];
    struct diag diag;

    if (ctl->given[CTL_FOR] && (value_duration(slice_of(ctl->given[CTL_FOR]), &for_ms) < 0 ||
                                for_ms < 1000 || for_ms > INVITATION_LONGEST * UINT64_C(1000))) {
        log_error("--for wants a time such as 30m or 2h, of at most 24h: %s", ctl->given[CTL_FOR]);
        return CTL_USAGE;
    }
    if (!ctl_rights_line(ctl, ctl->words[0], line, sizeof(line)))
        return CTL_USAGE;
    if (ticket_set_line(ticket, slice_of(line), &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_USAGE;
    }
    ticket->until = (int64_t)time(NULL) + (int64_t)(for_ms / 1000);
    return CTL_OK;
}

static void print_words(const char *host, const char *text, const char *id, int64_t until)
{
    char time[CTL_TIME];

    ctl_format_time(until, time);
    printf("On the other computer, until %s, type\n"
           "  msgctl join %s\n"
           "and paste this when it asks:\n"
           "  %s\n"
           "It lets one key in, once. To take it back: msgctl invite --withdraw %s\n",
           time, host, text, id);
}

static void print_json(const char *host, const char *text, const char *id,
                       const struct ticket *ticket)
{
    json_open(stdout);
    json_string(stdout, "id", slice_of(id));
    json_string(stdout, "name", slice_of(ticket->name));
    json_string(stdout, "host", slice_of(host));
    json_number(stdout, "until", (uint64_t)ticket->until);
    json_string(stdout, "invitation", slice_of(text));
    json_close(stdout);
}

static void print_invitation(const struct ctl *ctl, const struct config *config,
                             const struct invitation *invitation, const struct ticket *ticket)
{
    char text[INVITATION_TEXT + 1], id[INVITATION_NAME + 1], host[CTL_HOST_NAME];

    invitation_format(invitation, text);
    invitation_id_format(invitation->id, id);
    ctl_host_name(config, host);
    if (ctl->json)
        print_json(host, text, id, ticket);
    else
        print_words(host, text, id, ticket->until);
    sodium_memzero(text, sizeof(text));
}

static int keep(const struct config *config, const struct ticket *ticket)
{
    struct diag diag;

    if (!make_folder(config->invitations) || ctl_invitations_tidy(config) != CTL_OK)
        return CTL_FAILED;
    if (ticket_store(config->invitations, ticket, &diag) == 0)
        return CTL_OK;
    log_error("%s", diag.text);
    return CTL_FAILED;
}

static int invite(const struct ctl *ctl, const struct config *config)
{
    struct invitation invitation;
    struct ticket ticket;
    int status = fill_ticket(ctl, &ticket);

    if (status != CTL_OK)
        return status;
    randombytes_buf(invitation.id, sizeof(invitation.id));
    randombytes_buf(invitation.secret, sizeof(invitation.secret));
    invitation.until = (uint32_t)ticket.until;
    memcpy(ticket.id, invitation.id, sizeof(ticket.id));
    enrol_derive(invitation.id, invitation.secret, &ticket.key);
    status = ctl_host_key(config->host_key, &invitation.host) ? keep(config, &ticket) : CTL_FAILED;
    if (status == CTL_OK)
        print_invitation(ctl, config, &invitation, &ticket);
    sodium_memzero(&invitation, sizeof(invitation));
    sodium_memzero(&ticket, sizeof(ticket));
    return status;
}

int ctl_invite(const struct ctl *ctl)
{
    struct config config;
    bool list = ctl->given[CTL_LIST], withdraw = ctl->given[CTL_WITHDRAW];

    if (list + withdraw + (ctl->n_words > 0) != 1) {
        log_error("invite wants a name, or --list, or --withdraw=ID");
        return CTL_USAGE;
    }
    if (!ctl_host_config(ctl, &config))
        return CTL_FAILED;
    if (list)
        return ctl_invitations_list(ctl, &config);
    if (withdraw)
        return ctl_invitations_withdraw(ctl, &config, ctl->given[CTL_WITHDRAW]);
    int status = invite(ctl, &config);
    if (status == CTL_OK && !ctl->given[CTL_INVITATIONS])
        ctl_tcp_hint();
    return status;
}
