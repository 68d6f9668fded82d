/* SPDX-License-Identifier: MIT */
/*
 * What the checks of msgctl doctor share: one run (client/run.h), and what an earlier check found
 * out that a later one needs. Each check is one function of doctor.def; they change nothing but
 * that the caller's key is made if there is none, and nobody is shown anything unless --popup names
 * him.
 */
#ifndef MSG_CLIENT_CTL_DOCTOR_H
#define MSG_CLIENT_CTL_DOCTOR_H

#include "client/ctl_server.h"
#include "client/doctor.h"
#include "common/config.h"
#include "common/endorsements.h"

struct patient {
    const struct ctl *ctl;
    const char *host; /* as typed; NULL: this one */
    struct run *run;
    struct msg_conf conf;
    struct config config;      /* HERE: msgd.conf */
    struct addrinfo *resolved; /* THERE */
    struct exchange ping;
    bool welcome; /* then: */
    uint64_t version;
    char name[256], you[256]; /* what the host calls itself, and us */
    bool told_time;           /* then: how far its clock is ahead */
    int64_t ahead_ms;
};

#define CHECK(ID, ...) void doctor_##ID(void *context, struct finding *finding);
#include "client/doctor.def"

#define DOCTOR_RESTART_PRESENTER "systemctl restart msgd-present.socket msgd-present.service"

/* "; ends on ..." of each that ends soon, to be put behind what was found. */
#define DOCTOR_ENDS 1024
void doctor_ends(const struct endorsements *endorsements, char out[static DOCTOR_ENDS]);

/* A shell's word for what ends a command that names the host: " h2", or nothing for this one. */
const char *doctor_host_word(const struct patient *patient, char out[static 260]);

#endif
