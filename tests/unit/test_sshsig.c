/* SPDX-License-Identifier: MIT */
/* Signatures that ssh-keygen made (tests/fuzz/corpus/sshsig), the good one and those to refuse. */
#include "common/sshsig.h"

#include "common/any_key.h"
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>

#define SPACE  SLICE("msg-endorse-v1")
#define SIGNER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"

static int parse(struct slice envelope, struct sshsig *sig)
{
    const char *reason = NULL;
    int r = sshsig_parse(envelope, SPACE, sig, &reason);
    CU_ASSERT_EQUAL(reason == NULL, r == 0);
    return r;
}

static void test_good(void)
{
    struct slice message = golden("endorsement/statement");
    struct sshsig sig;
    char signer[SSH_KEY_TEXT_LEN + 1];
    CU_ASSERT_EQUAL_FATAL(parse(golden("sshsig/good"), &sig), 0);
    ssh_key_format(&sig.key, signer);
    CU_ASSERT_STRING_EQUAL(signer, SIGNER);
    CU_ASSERT_TRUE(sshsig_verify(&sig, SPACE, message));
    CU_ASSERT_FALSE(sshsig_verify(&sig, SLICE("msg-endorse-v2"), message));
    CU_ASSERT_FALSE(sshsig_verify(&sig, SPACE, slice_from(message, 1)));
    message.len--;
    CU_ASSERT_FALSE(sshsig_verify(&sig, SPACE, message));
    CU_ASSERT_FALSE(sshsig_verify(&sig, SPACE, SLICE("")));
}

static void test_altered_message(void)
{
    struct slice message = golden("endorsement/statement");
    struct sshsig sig;
    CU_ASSERT_EQUAL_FATAL(parse(golden("sshsig/good"), &sig), 0);
    for (size_t i = 0; i < message.len; i++) {
        char *byte = (char *)(uintptr_t)message.ptr + i;
        *byte ^= 1;
        CU_ASSERT_FALSE(sshsig_verify(&sig, SPACE, message));
        *byte ^= 1;
    }
    CU_ASSERT_TRUE(sshsig_verify(&sig, SPACE, message));
}

/* Sound in itself, but by another key: whoever asks for a signer sees another one. */
static void test_other_key(void)
{
    struct sshsig good, other;
    CU_ASSERT_EQUAL_FATAL(parse(golden("sshsig/good"), &good), 0);
    CU_ASSERT_EQUAL_FATAL(parse(golden("sshsig/other"), &other), 0);
    CU_ASSERT_FALSE(ssh_key_equal(&good.key, &other.key));
    CU_ASSERT_TRUE(sshsig_verify(&other, SPACE, golden("endorsement/statement")));
    other.key = good.key;
    CU_ASSERT_FALSE(sshsig_verify(&other, SPACE, golden("endorsement/statement")));
}

static void refused(const char *name, const char *expected)
{
    struct sshsig sig = {.signature = {7}};
    const char *reason = "";
    CU_ASSERT_EQUAL(sshsig_parse(golden(name), SPACE, &sig, &reason), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(reason, expected);
    CU_ASSERT_EQUAL(sig.signature[0], 7);
}

static void test_refused(void)
{
    refused("sshsig/ns", "signed in another namespace");
    refused("sshsig/sha256", "the signature's hash is not sha512");
    refused("sshsig/rsa", "the key that signed is not ssh-ed25519");
    refused("sshsig/ecdsa", "the key that signed is not ssh-ed25519");
    refused("sshsig/good_armoured", "not a signature of ssh");
    refused("sshsig/reserved", "the signature's reserved field is not empty");
    refused("sshsig/version", "not a signature of ssh");
    refused("sshsig/type", "not a signature of ssh-ed25519");
    refused("sshsig/trailing", "bytes behind the signature");
    refused("sshsig/trailing_inside", "not a signature of ssh-ed25519");
}

static void test_truncated_at_every_byte(void)
{
    struct slice envelope = golden("sshsig/good");
    struct sshsig sig;
    for (size_t len = 0; len < envelope.len; len++) {
        char *copy = malloc(len + 1); /* of that very size, for the sanitizer */
        memcpy(copy, envelope.ptr, len);
        char *exact = realloc(copy, len ? len : 1);
        CU_ASSERT_EQUAL(parse((struct slice){exact, len}, &sig), -EBADMSG);
        free(exact);
    }
}

/* No byte of an envelope is free: with another it is refused, or does not verify. */
static void test_every_bit_counts(void)
{
    struct slice envelope = golden("sshsig/good"), message = golden("endorsement/statement");
    struct sshsig sig;
    for (size_t bit = 0; bit < envelope.len * 8; bit++) {
        char *byte = (char *)(uintptr_t)envelope.ptr + bit / 8;
        *byte ^= (char)(1 << bit % 8);
        CU_ASSERT_FALSE(parse(envelope, &sig) == 0 && sshsig_verify(&sig, SPACE, message));
        *byte ^= (char)(1 << bit % 8);
    }
}

/* The order of the group, little-endian: S and S + L are one number to whoever does not look. */
static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

/* Else one signature had two forms, and what remembers signatures by their bytes knew only one. */
static void test_signature_that_was_made_another_by_its_group_order(void)
{
    struct slice message = golden("endorsement/statement");
    struct sshsig sig;
    unsigned carry = 0;
    CU_ASSERT_EQUAL_FATAL(parse(golden("sshsig/good"), &sig), 0);
    CU_ASSERT_TRUE(sshsig_verify(&sig, SPACE, message));
    for (size_t i = 0; i < sizeof(order); i++) {
        carry += (unsigned)sig.signature[32 + i] + order[i];
        sig.signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CU_ASSERT_EQUAL(carry, 0);
    CU_ASSERT_FALSE(sshsig_verify(&sig, SPACE, message));
}

/* Under a key of small order one signature would hold for every message. */
static void test_keys_of_small_order(void)
{
    static const uint8_t keys[][32] = {
        {1},                       /* the neutral element */
        {0},                       /* of order 4 */
        {[0] = 0xec, [31] = 0x7f}, /* of order 2, once its middle is filled */
        {[0] = 0xee, [31] = 0x7f}, /* the neutral element, not in its one form */
        {[0] = 1, [31] = 0x80},    /* likewise */
    };
    struct sshsig sig;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        memcpy(sig.key.bytes, keys[i], sizeof(keys[i]));
        if (keys[i][31] == 0x7f)
            memset(sig.key.bytes + 1, 0xff, 30);
        for (unsigned r = 0; r < 2; r++) { /* S = 0, R the neutral element or the key */
            memset(sig.signature, 0, sizeof(sig.signature));
            sig.signature[0] = 1;
            if (r == 1)
                memcpy(sig.signature, sig.key.bytes, sizeof(sig.key.bytes));
            CU_ASSERT_FALSE(sshsig_verify(&sig, SPACE, golden("endorsement/statement")));
        }
    }
}

/* ---- the armour ------------------------------------------------------------------------------ */

static void dearmored(struct slice text, int expected, size_t behind)
{
    uint8_t out[SSHSIG_MAX];
    struct slice good = golden("sshsig/good");
    size_t len = 0, taken = 0;
    CU_ASSERT_EQUAL(sshsig_dearmor(text, out, &len, &taken), expected);
    if (expected < 0)
        return;
    CU_ASSERT_EQUAL(taken, text.len - behind);
    CU_ASSERT_TRUE(slice_eq((struct slice){(char *)out, len}, good));
}

static void test_armour(void)
{
    struct slice text = golden("sshsig/good_armoured");
    char copy[1024];
    dearmored(text, 0, 0);
    dearmored((struct slice){text.ptr, text.len - 1}, 0, 0);
    dearmored((struct slice){text.ptr, text.len - 2}, -EBADMSG, 0);
    dearmored(slice_from(text, 1), -EBADMSG, 0);
    dearmored((struct slice){"", 0}, -EBADMSG, 0);
    snprintf(copy, sizeof(copy), "%.*snext\n", (int)text.len, text.ptr);
    dearmored(slice_of(copy), 0, 5);
    snprintf(copy, sizeof(copy), "%.*s next\n", (int)text.len - 1, text.ptr);
    dearmored(slice_of(copy), -EBADMSG, 0);
    snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.ptr);
    copy[40] = '*';
    dearmored(slice_of(copy), -EBADMSG, 0);
    copy[40] = (char)0x80;
    dearmored(slice_of(copy), -EBADMSG, 0);
    copy[40] = '\r';
    dearmored(slice_of(copy), -EBADMSG, 0);
}

/* Room for 256 bytes and no more. */
static void test_armour_of_a_longer_one(void)
{
    uint8_t out[SSHSIG_MAX];
    size_t len = 0, taken = 0;
    CU_ASSERT_EQUAL(sshsig_dearmor(golden("sshsig/rsa_armoured"), out, &len, &taken), -EBADMSG);
    CU_ASSERT_EQUAL(sshsig_dearmor(golden("sshsig/ecdsa_armoured"), out, &len, &taken), 0);
    CU_ASSERT_EQUAL(len, 255);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void taken(const char *text, int expected, const char *left)
{
    struct slice line = slice_of(text);
    struct any_key key = {.kind = 9};
    char back[ANY_KEY_TEXT_LEN + 1];
    CU_ASSERT_EQUAL(any_key_take(&line, &key), expected);
    if (expected < 0) {
        CU_ASSERT_EQUAL(key.kind, 9);
        CU_ASSERT_EQUAL(line.len, strlen(text));
        return;
    }
    CU_ASSERT_TRUE(slice_eq(line, slice_of(left)));
    any_key_format(&key, back);
    CU_ASSERT_EQUAL(strncmp(text, back, strlen(back)), 0);
}

static void test_keys(void)
{
    taken(SIGNER, 0, "");
    taken(SIGNER " alice@laptop", 0, " alice@laptop");
    taken("x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA who alice", 0, " who alice");
    taken("ssh-ed25519", -EBADMSG, NULL);
    taken("ssh-ed25519 AAAA", -EBADMSG, NULL);
    taken(SIGNER "A", -EBADMSG, NULL);
    taken("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fO",
          -EBADMSG, NULL);
    taken("ssh-ed25519 AAAAC3NzaC1lZDI1NTE4AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq",
          -EBADMSG, NULL);
    taken("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9\xFFtzs9gdzFYdYadTgJS3w+GmQ+5fOq",
          -EBADMSG, NULL);
    taken("ssh-rsa AAAA", -ENOTSUP, NULL);
    taken("ecdsa-sha2-nistp256 AAAA", -ENOTSUP, NULL);
    taken("sk-ssh-ed25519@openssh.com AAAA", -ENOTSUP, NULL);
    taken("alice", -EBADMSG, NULL);
    taken("", -EBADMSG, NULL);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_good),
        UNIT_TEST(test_altered_message),
        UNIT_TEST(test_other_key),
        UNIT_TEST(test_refused),
        UNIT_TEST(test_truncated_at_every_byte),
        UNIT_TEST(test_every_bit_counts),
        UNIT_TEST(test_signature_that_was_made_another_by_its_group_order),
        UNIT_TEST(test_keys_of_small_order),
        UNIT_TEST(test_armour),
        UNIT_TEST(test_armour_of_a_longer_one),
        UNIT_TEST(test_keys),
        UNIT_END,
    };
    return sodium_init() < 0 ? 2 : unit_run("sshsig", tests);
}
