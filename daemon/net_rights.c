/* SPDX-License-Identifier: MIT */
#include "daemon/net_rights.h"

#define OVERFLOW_UID 65534 /* nobody, and everybody whom a user namespace does not map */

static bool contains(const uint32_t *ids, size_t n, uint32_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

static bool is_person(const struct rights_policy *policy, uint32_t uid)
{
    if (uid == OVERFLOW_UID)
        return false;
    return uid == 0 || uid >= policy->uid_min || contains(policy->listed, policy->n_listed, uid);
}

struct rights rights_of_uid(const struct rights_policy *policy, uint32_t uid,
                            const uint32_t *groups, size_t n_groups)
{
    bool person = is_person(policy, uid);
    bool member = policy->has_group && contains(groups, n_groups, policy->group);
    bool admin = uid == 0 || (person && member);

    return (struct rights){
        .any = admin || (person && policy->users == RIGHTS_EVERYBODY),
        .who = admin ||
               (person && policy->users != RIGHTS_NOBODY && policy->who == RIGHTS_WHO_EVERYBODY),
        .all = admin,
        .override = admin,
        .local = admin || (uid != OVERFLOW_UID && policy->users != RIGHTS_NOBODY),
        .uid = uid,
    };
}

struct rights rights_of_key(const struct authorized_key *key, unsigned perm,
                            const struct members_list *groups)
{
    return (struct rights){
        .any = true,
        .who = (key->who && perm & PERM_WHO) || key->to.len > 0,
        .all = key->all && perm & PERM_ALL,
        .override = key->override && perm & PERM_OVERRIDE,
        .only = key->to.len > 0 ? key : NULL,
        .groups = groups,
    };
}

bool rights_own(const struct rights *rights, const struct boundary_session *session)
{
    return rights->local && session->uid == rights->uid;
}

bool rights_session(const struct rights *rights, const struct boundary_session *session)
{
    if (rights_own(rights, session))
        return true;
    if (!rights->only)
        return rights->any;
    struct slice user = slice_of(session->user);
    gid_t gid = session->gid;
    return authorized_key_reaches(rights->only, user, session->flags & SESSION_CONSOLE) ||
           members_reach(rights->groups, rights->only, user, &gid);
}

bool rights_user(const struct rights *rights, struct slice user)
{
    if (!rights->only)
        return rights->any;
    return authorized_key_reaches(rights->only, user, false) ||
           members_reach(rights->groups, rights->only, user, NULL);
}
