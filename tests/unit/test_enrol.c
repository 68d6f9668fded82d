/* SPDX-License-Identifier: MIT */
/* The proofs of an enrolment and the invitation's text, against protocol/vectors/enrol.json. */
#include "protocol/enrol.h"

#include "common/invitation.h"
#include "tests/unit/unit.h"
#include "tests/unit/vectors.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct vector vector;
static struct invitation invitation;
static uint8_t hash[NOISE_HASH];

static bool get(const char *key, uint8_t *out, size_t len)
{
    return vector_bytes(&vector, out, len, "%s", key) == (ssize_t)len;
}

static bool read_vector(void)
{
    FILE *file = vectors_open_ours("enrol.json");

    if (!file || !vector_read(file, &vector) || pclose(file) != 0)
        return false;
    invitation.until = (uint32_t)strtoul(vector_get(&vector, "until"), NULL, 10);
    return get("id", invitation.id, ENROL_ID) && get("secret", invitation.secret, ENROL_SECRET) &&
           get("host", invitation.host.bytes, NOISE_KEY) && get("handshake_hash", hash, NOISE_HASH);
}

static void test_the_text(void)
{
    const char *wanted = vector_get(&vector, "invitation");
    char text[INVITATION_TEXT + 1], until[16];
    struct invitation read;

    invitation_format(&invitation, text);
    CU_ASSERT_STRING_EQUAL(text, wanted);
    CU_ASSERT_EQUAL_FATAL(invitation_parse(slice_of(wanted), &read), 0);
    CU_ASSERT_EQUAL(memcmp(read.id, invitation.id, ENROL_ID), 0);
    CU_ASSERT_EQUAL(memcmp(read.secret, invitation.secret, ENROL_SECRET), 0);
    CU_ASSERT_EQUAL(memcmp(&read.host, &invitation.host, NOISE_KEY), 0);
    snprintf(until, sizeof(until), "%u", (unsigned)read.until);
    CU_ASSERT_STRING_EQUAL(until, vector_get(&vector, "until"));
}

static void test_the_proofs(void)
{
    struct enrol_key key;
    uint8_t mac[2][ENROL_MAC];

    enrol_derive(invitation.id, invitation.secret, &key);
    CU_ASSERT(vector_is(&vector, key.bytes, ENROL_KEY, "key"));
    enrol_mac(&key, ENROL_CLIENT, hash, mac[0]);
    enrol_mac(&key, ENROL_SERVER, hash, mac[1]);
    CU_ASSERT(vector_is(&vector, mac[0], ENROL_MAC, "enrol_mac"));
    CU_ASSERT(vector_is(&vector, mac[1], ENROL_MAC, "enrolled_mac"));
}

/* What depends on nothing proves nothing. */
static void test_each_part_counts(void)
{
    struct enrol_key key, other;
    uint8_t mac[ENROL_MAC];

    enrol_derive(invitation.id, invitation.secret, &key);
    enrol_mac(&key, ENROL_CLIENT, hash, mac);
    CU_ASSERT(enrol_verify(&key, ENROL_CLIENT, hash, mac));
    CU_ASSERT_FALSE(enrol_verify(&key, ENROL_SERVER, hash, mac));
    for (unsigned i = 0; i < NOISE_HASH; i++) {
        hash[i] ^= 1;
        CU_ASSERT_FALSE(enrol_verify(&key, ENROL_CLIENT, hash, mac));
        hash[i] ^= 1;
    }
    for (unsigned i = 0; i < ENROL_MAC; i++) {
        mac[i] ^= 0x80;
        CU_ASSERT_FALSE(enrol_verify(&key, ENROL_CLIENT, hash, mac));
        mac[i] ^= 0x80;
    }
    struct invitation changed = invitation;
    changed.secret[ENROL_SECRET - 1] ^= 1;
    enrol_derive(changed.id, changed.secret, &other);
    CU_ASSERT_FALSE(enrol_verify(&other, ENROL_CLIENT, hash, mac));
    changed = invitation;
    changed.id[0] ^= 1;
    enrol_derive(changed.id, changed.secret, &other);
    CU_ASSERT_FALSE(enrol_verify(&other, ENROL_CLIENT, hash, mac));
}

static void test_texts_that_are_none(void)
{
    char text[INVITATION_TEXT + 2];
    struct invitation read;

    invitation_format(&invitation, text);
    for (size_t i = 0; i < INVITATION_TEXT; i++) {
        char kept = text[i];
        text[i] = kept == 'B' ? 'C' : 'B';
        CU_ASSERT_EQUAL(invitation_parse(slice_of(text), &read), -EBADMSG);
        text[i] = kept;
        CU_ASSERT_EQUAL(invitation_parse((struct slice){text, i}, &read), -EBADMSG);
    }
    strcpy(text + INVITATION_TEXT, "A");
    CU_ASSERT_EQUAL(invitation_parse(slice_of(text), &read), -EBADMSG);
    text[INVITATION_TEXT] = '=';
    CU_ASSERT_EQUAL(invitation_parse(slice_of(text), &read), -EBADMSG);
    CU_ASSERT_EQUAL(invitation_parse((struct slice){text, INVITATION_TEXT}, &read), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_the_text),
        UNIT_TEST(test_the_proofs),
        UNIT_TEST(test_each_part_counts),
        UNIT_TEST(test_texts_that_are_none),
        UNIT_END,
    };

    if (sodium_init() < 0 || !read_vector())
        return 1;
    int status = unit_run("enrol", tests);
    vector_release(&vector);
    return status;
}
