/* SPDX-License-Identifier: MIT */
/*
 * Every bound in the system, once, with its reason. Sizes and depths are constants of the protocol
 * (PROTOCOL.md, "Limits"); what is marked [default] is the default of a configuration key.
 * Sizes are bytes, times milliseconds unless the name says otherwise.
 */
#ifndef MSG_PROTOCOL_LIMITS_H
#define MSG_PROTOCOL_LIMITS_H

/* ---- frames ---------------------------------------------------------------------------------- */
#define LIM_FRAME       65535 /* a u16 length; also the largest Noise message */
#define LIM_AEAD_TAG    16
#define LIM_PLAINTEXT   (LIM_FRAME - LIM_AEAD_TAG) /* on both transports, so requests fit either */
#define LIM_PREAMBLE    8
#define LIM_REFUSAL     8    /* shorter than any handshake message, so it cannot be one */
#define LIM_HANDSHAKE_1 288  /* 32 + 256: room for a later first-packet MAC */
#define LIM_HANDSHAKE_2 4192 /* 32 + 48 + 16 + 4,096 of endorsement and hello */
#define LIM_HANDSHAKE_3 8256 /* 48 + 16 + 8,192 */

/* ---- msgpack, checked by a scan before any allocation ---------------------------------------- */
#define LIM_DEPTH    8    /* the deepest message has 5 */
#define LIM_NODES    4096 /* bounds the decoder's memory whatever the bytes say */
#define LIM_ITEMS    1024 /* of one array */
#define LIM_MAP_KEYS 32   /* of one map; makes the search for duplicate keys cheap */
#define LIM_KEY      32   /* bytes of a key */

/* ---- a request ------------------------------------------------------------------------------- */
#define LIM_TEXT         32768
#define LIM_TITLE        256
#define LIM_NAME         64 /* user, session, host and key names; selectors */
#define LIM_AGENT        64
#define LIM_SELECTORS    512
#define LIM_NOT          16
#define LIM_ANSWERS      8
#define LIM_ANSWER       64
#define LIM_EVENTS       32  /* events in one EVENT frame */
#define LIM_MISSES       128 /* misses in one, so that it fits; in all LIM_SELECTORS */
#define LIM_FEATURES     32
#define LIM_ENDORSEMENTS 4
#define LIM_ENDORSEMENT  1000 /* so that four fit into handshake message 2 */
#define LIM_NOTE         512  /* human text in NOTE, ERROR, GOAWAY */
#define LIM_CODE         32
#define LIM_PAD          1024
#define LIM_OWN_KEYS     64 /* that a user can have authorized for himself, so that all are told */
#define LIM_DELIVERIES   1024 /* of one request; msg splits longer target files */
#define LIM_MAX_TIME     (7LL * 24 * 3600 * 1000) /* [default] max_time; also /TIME's highest */
#define LIM_NOT_SHOWN    10000                    /* accepted to displayed, without wait */
#define LIM_CLIENT_GRACE 10000                    /* the client gives up at its time + this */
#define LIM_RECENT       20                       /* ended messages /LIST still shows, for 24 h */
#define LIM_RECENT_TIME  (24LL * 3600 * 1000)

/* ---- a connection ---------------------------------------------------------------------------- */
#define LIM_FIRST_BYTES   2000
#define LIM_HANDSHAKE     5000 /* absolute: progress does not extend it */
#define LIM_FIRST_REQUEST 10000
#define LIM_IDLE          30000 /* without an open request */
#define LIM_SILENCE       60000 /* then PING; two unanswered are the end */
#define LIM_PINGS         2
#define LIM_AGE           (24LL * 3600 * 1000) /* then GOAWAY */
#define LIM_MESSAGES      (1LL << 31) /* a direction: far from the nonce's end, then GOAWAY */
#define LIM_OPEN_REQUESTS 16
#define LIM_UNSENT        65536   /* events are drawn from the log while less is unsent */
#define LIM_BACKLOG       2097152 /* two frames for each open request; more unsent: closed */
#define LIM_STALLED       30000   /* a peer that takes nothing for so long is closed */
#define LIM_LINGER        1000 /* after an error: read on, so that the answer is not lost to RST */
#define LIM_LINGER_BYTES  65536

/* ---- the daemon [defaults] ------------------------------------------------------------------- */
#define LIM_CONNECTIONS         16384 /* or RLIMIT_NOFILE - 64, if that is less */
#define LIM_FD_RESERVE          64
#define LIM_ACCOUNT_CONNECTIONS 8
#define LIM_UNIX_CONNECTIONS    16 /* of one uid */
#define LIM_UNAUTHENTICATED     128
#define LIM_SOURCE_UNAUTH       8    /* of one IPv4 address or IPv6 /64 */
#define LIM_SOURCE_HANDSHAKES   20   /* a second */
#define LIM_HANDSHAKES          2000 /* a second in all: about half a core */
#define LIM_OPEN_DELIVERIES     65536
#define LIM_HELD_TEXT           (64LL << 20)
#define LIM_MESSAGES_A_MINUTE   60
#define LIM_ASKS_A_MINUTE       120    /* WHO, GRANT; or twice the messages: msg /V asks twice */
#define LIM_GRANTS_A_MINUTE     20     /* own keys added, taken: each waits for the disk twice */
#define LIM_UIDS                1000   /* remembered for an account */
#define LIM_UID_TIME            600000 /* after the request became final */
#define LIM_SEEN_RECORDS        65536  /* in the record that outlives the process */
#define LIM_FILE_RECHECK        1000   /* authorized_keys, revoked_keys: looked at this often */

/* ---- the boundary between msgd and msgd-present ---------------------------------------------- */
#define LIM_DATAGRAM        36864 /* six fit into a socket buffer of the default size */
#define LIM_BOUNDARY_QUEUE  256   /* datagrams either end holds back before it ends the peer */
#define LIM_SESSIONS        4096
#define LIM_USER_SESSIONS   256 /* of one user: his thousands of terminals hide nobody's */
#define LIM_PRESENTED       512 /* deliveries up at once for one user [default] */
#define LIM_PRESENTS_SECOND 20  /* a user, bursts of LIM_PRESENTED [default] */
#define LIM_TERMINAL_WRITE  4000
#define LIM_TERMINAL_LINES  20
#define LIM_TERMINAL_TRY    2000 /* of trying to write to a terminal that takes nothing */
#define LIM_POPUPS          5   /* up at once for one user: MATE refuses the 22nd, GNOME keeps 10 */
#define LIM_POPUPS_ACCOUNT  3   /* of these, of one account */
#define LIM_POPUPS_QUEUED   20  /* that wait for room on one screen */
#define LIM_POPUPS_PATIENT  10  /* of these, of one account */
#define LIM_POPUP_HELPERS   400 /* processes in all; TasksMax of the service lies above it */
#define LIM_POPUP_OWN       40  /* of these, of one user: what ends may be held up by him */
#define LIM_POPUP_MEMORY    (64 << 20) /* of one: what it reads is the user's to send */
#define LIM_POPUP_CPU_S     60         /* of processor time, of a program that it runs */
#define LIM_LOOKUP          1000       /* a name service's answer, asked outside any loop */

/* ---- the audit ------------------------------------------------------------------------------- */
#define LIM_RECORDS_A_MINUTE  120 /* of one account, its messages not counted */
#define LIM_RECORD_DELIVERIES 64  /* told one by one; the rest are counted */
#define LIM_RECORD_MISSES     32

/* ---- the client ------------------------------------------------------------------------------ */
#define LIM_ADDRESSES 8 /* of a name, that a call tries: the last begins 1.75 s into its 5 s */

/* ---- files ----------------------------------------------------------------------------------- */
#define LIM_KEY_FILE     4096
#define LIM_TRUST_FILE   (4 << 20)
#define LIM_TRUST_LINE   2048
#define LIM_KEY_FILES    128       /* in authorized_keys.d: each is searched for each stranger */
#define LIM_KEY_FOLDER   (4 << 20) /* bytes in them together */
#define LIM_INVITATIONS  256       /* open ones of a host */
#define LIM_CONFIG_FILE  65536
#define LIM_CONFIG_LINE  190 /* Debian's inih cuts at 200 without a word */
#define LIM_TARGET_FILE  65536
#define LIM_TARGETS      4096
#define LIM_UTMP_FILE    (4 << 20)
#define LIM_RECEIVE_FILE 4096 /* a user's wish */
#define LIM_RECEIVE_TIME 1000 /* of reading it: a home that hangs longer holds none */

#endif
