/* SPDX-License-Identifier: MIT */
#include "daemon/net_rights.h"
#include "tests/unit/unit.h"

#define KEY "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct members_list no_groups;
static const uint32_t listed[] = {120};
static const struct rights_policy policy = {
    .uid_min = 1000, .listed = listed, .n_listed = 1, .has_group = true, .group = 27};

static void local_senders(void)
{
    static const struct {
        uint32_t uid;
        uint32_t group;
        bool any, all, who, override;
    } rows[] = {
        {0, 0, true, true, true, true},          /* root: everything */
        {1000, 1000, true, false, true, false},  /* a person */
        {999, 999, false, false, false, false},  /* a service */
        {120, 120, true, false, true, false},    /* a service that is listed */
        {121, 27, false, false, false, false},   /* the group does not make a service a person */
        {1000, 27, true, true, true, true},      /* the group */
        {65534, 27, false, false, false, false}, /* nobody, or unmapped */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rights r = rights_of_uid(&policy, rows[i].uid, &rows[i].group, 1);
        CU_ASSERT(r.any == rows[i].any && r.all == rows[i].all);
        CU_ASSERT(r.who == rows[i].who && r.override == rows[i].override);
        CU_ASSERT(r.local == (rows[i].uid != 65534) && !r.only);
    }
}

/* Root and the group are above it; who sends as people do is not. */
static void whom_people_may_message_is_configured(void)
{
    static const struct {
        enum config_users users;
        enum config_who who;
        bool any, asks, own;
    } rows[] = {
        {RIGHTS_EVERYBODY, RIGHTS_WHO_EVERYBODY, true, true, true},
        {RIGHTS_EVERYBODY, RIGHTS_WHO_ADMINS, true, false, true},
        {RIGHTS_SELF, RIGHTS_WHO_EVERYBODY, false, true, true},
        {RIGHTS_SELF, RIGHTS_WHO_ADMINS, false, false, true},
        {RIGHTS_NOBODY, RIGHTS_WHO_EVERYBODY, false, false, false},
        {RIGHTS_NOBODY, RIGHTS_WHO_ADMINS, false, false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rights_policy configured = policy;
        uint32_t none = 1, group = 27;
        configured.users = rows[i].users;
        configured.who = rows[i].who;
        for (uint32_t uid = 120; uid <= 1000; uid += 880) {
            struct rights r = rights_of_uid(&configured, uid, &none, 1);
            CU_ASSERT(r.any == rows[i].any && r.who == rows[i].asks && r.local == rows[i].own);
            CU_ASSERT(!r.all && !r.override);
            r = rights_of_uid(&configured, uid, &group, 1);
            CU_ASSERT(r.any && r.who && r.local && r.all && r.override);
        }
        struct rights root = rights_of_uid(&configured, 0, &none, 1);
        CU_ASSERT(root.any && root.who && root.local && root.all && root.override);
        CU_ASSERT(!rights_of_uid(&configured, 999, &group, 1).any);
    }
}

static void without_a_group_nobody_is_its_member(void)
{
    struct rights_policy none = {.uid_min = 1000};
    uint32_t group = 0;

    CU_ASSERT(!rights_of_uid(&none, 1000, &group, 1).all);
}

static struct authorized_key line(const char *text)
{
    struct authorized_key key;
    struct diag diag;

    CU_ASSERT_FATAL(authorized_key_parse(slice_of(text), &key, &diag) == 0);
    return key;
}

static void remote_lines(void)
{
    static const struct {
        const char *line;
        bool all, who, override, only;
    } rows[] = {
        {KEY " ann", false, false, false, false},
        {KEY " all ann", true, false, false, false},
        {KEY " who ann", false, true, false, false},
        {KEY " override ann", false, false, true, false},
        {KEY " to=bob ann", false, true, false, true},
        {KEY " all to=bob,eve ann", true, true, false, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct authorized_key key = line(rows[i].line);
        struct rights r = rights_of_key(&key, PERM_EVERY, &no_groups);
        CU_ASSERT(r.any && !r.local && r.all == rows[i].all && r.who == rows[i].who);
        CU_ASSERT(r.override == rows[i].override && (r.only != NULL) == rows[i].only);
    }
}

static struct boundary_session session(const char *user, uint32_t uid, uint32_t flags)
{
    struct boundary_session s = {.uid = uid, .flags = flags};

    snprintf(s.user, sizeof(s.user), "%s", user);
    return s;
}

static void whom_they_reach(void)
{
    struct boundary_session bob = session("bob", 1001, 0), eve = session("eve", 1002, 0),
                            console = session("eve", 1002, SESSION_CONSOLE),
                            zero = session("root", 0, 0), daemon = session("www", 33, 0);
    struct authorized_key free_key = line(KEY " ann"), bobs = line(KEY " to=bob ann"),
                          seated = line(KEY " to=session:console ann");
    struct rights any = rights_of_key(&free_key, PERM_EVERY, &no_groups),
                  only = rights_of_key(&bobs, PERM_EVERY, &no_groups),
                  sat = rights_of_key(&seated, PERM_EVERY, &no_groups),
                  person = rights_of_uid(&policy, 1001, NULL, 0),
                  service = rights_of_uid(&policy, 33, NULL, 0);

    CU_ASSERT(rights_session(&any, &bob) && rights_user(&any, SLICE("anybody")));
    CU_ASSERT(rights_session(&only, &bob) && !rights_session(&only, &eve));
    CU_ASSERT(rights_user(&only, SLICE("bob")) && !rights_user(&only, SLICE("eve")));
    CU_ASSERT(!rights_user(&only, SLICE("nobody-of-that-name")));
    CU_ASSERT(rights_session(&sat, &console) && !rights_session(&sat, &eve));
    CU_ASSERT(!rights_user(&sat, SLICE("eve")));
    CU_ASSERT(rights_session(&person, &eve) && rights_own(&person, &bob));
    CU_ASSERT(rights_session(&service, &daemon) && !rights_session(&service, &bob));
    CU_ASSERT(!rights_own(&any, &zero)); /* a key has no uid, not even 0 */
}

static struct members *group(const char *name, gid_t gid, const char *first, const char *second)
{
    struct members *members = calloc(1, sizeof(*members));

    *members = (struct members){.shares = 1, .exists = true, .gid = gid, .n = 2};
    snprintf(members->group, sizeof(members->group), "%s", name);
    members->names = calloc(2, sizeof(*members->names));
    members->names[0] = strdup(first);
    members->names[1] = strdup(second);
    return members;
}

/* Whom the group lists, and whose primary group it is; one that was not asked for has nobody. */
static void whom_groups_reach(void)
{
    struct members_list groups = {.n = 0};
    struct members *ops = group("ops", 500, "bob", "carol"), *gone = group("gone", 0, "x", "y");
    struct authorized_key key = line(KEY " to=%ops,%gone,%later,dave ann");
    struct boundary_session bob = session("bob", 1001, 0), eve = session("eve", 1002, 0),
                            root = session("root", 0, 0);
    struct rights r = rights_of_key(&key, PERM_EVERY, &groups);

    CU_ASSERT(!rights_session(&r, &bob) && !rights_user(&r, SLICE("bob")));
    CU_ASSERT(rights_user(&r, SLICE("dave")) && !rights_user(&r, SLICE("%ops")));
    gone->exists = false; /* and its gid 0 is nobody's */
    members_add(&groups, ops);
    members_add(&groups, gone);
    CU_ASSERT(ops->shares == 2 && members_find(&groups, SLICE("ops")) == ops);
    CU_ASSERT(!members_find(&groups, SLICE("later")));
    CU_ASSERT(rights_session(&r, &bob) && rights_user(&r, SLICE("bob")));
    CU_ASSERT(rights_user(&r, SLICE("carol")) && !rights_user(&r, SLICE("caro")));
    CU_ASSERT(!rights_user(&r, SLICE("x")) && !rights_user(&r, (struct slice){NULL, 0}));
    CU_ASSERT(!rights_session(&r, &eve) && !rights_session(&r, &root));
    eve.gid = 500;
    CU_ASSERT(rights_session(&r, &eve) && !rights_user(&r, SLICE("eve")));
    CU_ASSERT(r.who && r.only == &key);
    members_end(&groups);
    members_unshare(ops);
    members_unshare(gone);
    CU_ASSERT_EQUAL(groups.n, 0);
}

/* The group 0 is on every host; its primary members are known by the session alone. */
static void groups_are_looked_up(void)
{
    struct members *root = NULL, *none = NULL;

    CU_ASSERT_EQUAL_FATAL(members_look_up("root", &root), 0);
    CU_ASSERT(root->exists && root->gid == 0 && strcmp(root->group, "root") == 0);
    CU_ASSERT_EQUAL_FATAL(members_look_up("no-such-group-9", &none), 0);
    CU_ASSERT(!none->exists && none->n == 0);
    members_unshare(root);
    members_unshare(none);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(local_senders),
        UNIT_TEST(whom_people_may_message_is_configured),
        UNIT_TEST(without_a_group_nobody_is_its_member),
        UNIT_TEST(remote_lines),
        UNIT_TEST(whom_they_reach),
        UNIT_TEST(whom_groups_reach),
        UNIT_TEST(groups_are_looked_up),
        UNIT_END,
    };

    return unit_run("rights", tests);
}
