/* SPDX-License-Identifier: MIT
 *
 * The journal of one transaction: /var/lib/pitcrew/tune/0007.journal, append-only, a record a line:
 *
 *	XXH3-64 of the rest in 16 hexadecimal digits, a blank, a JSON object, a newline
 *
 *	{"is":"begin","version":1,"txn":7,"boot":"UUID","time":1763..., "tool":"0.1.0","kind":"apply|trial|bisect",
 *	 "profile":"training","persist":false,"uid":0,"changes":12}
 *	{"is":"intend","n":0,"knob":"vm.swappiness","target":"sysctl","object":"vm.swappiness","kind":0,
 *	 "old":"60","new":"10","companion":false}         null = absent. All of them are on disk before the first write
 *	{"is":"ready"}                                     all intentions are told; fsync
 *	{"is":"set","n":0,"now":"10"}                      written and read back; of a companion: seen
 *	{"is":"commit"}                                    fsync
 *	{"is":"undo","why":"roll-back|revert|guard","boot":"UUID","time":...}
 *	{"is":"undone","n":0,"how":"restored|already|kept|gone|failed"}
 *	{"is":"reverted"}                                  fsync: nothing of it is left, but for what was "kept";
 *another "undo" of that may follow
 *	{"is":"damage","text":"line 9 ..."}                records that stood here were damaged; they were put aside
 *
 * A value that is no UTF-8 is written as {"hex":"6100ff"}.
 *
 * A last line without newline or with a bad sum is a record whose writing was cut off: it counts as not there. Before
 * the end such a line means that the journal is damaged: what stands before it is used, and the state says so. So does
 * a record that makes no sense where it stands.
 */
#ifndef PIT_TUNE_JOURNAL_H
#define PIT_TUNE_JOURNAL_H

#include <jansson.h>

#include "tune/target.h"

#define PIT_JOURNAL_VERSION 1
#define PIT_JOURNAL_MAX (64u << 20) /* bytes; one with 10,000 changes has 3 MiB */

enum pit_txn_state {
	PIT_TXN_EMPTY,       /* nothing was written to the machine: cut off before "ready" */
	PIT_TXN_INTERRUPTED, /* ready, not committed, not undone: some values may be set. So is a damaged one of which
			      * that cannot be told any more */
	PIT_TXN_APPLIED,
	PIT_TXN_UNDOING,    /* undo began and did not end */
	PIT_TXN_REVERTED,   /* ended */
	PIT_TXN_UNREADABLE, /* the journal cannot be used at all: `damage` says why */
};
const char *pit_txn_state_name(enum pit_txn_state s); /* "interrupted", ... */

enum pit_undone {
	PIT_UNDONE_NOT,
	PIT_UNDONE_RESTORED,
	PIT_UNDONE_ALREADY, /* it had its old value */
	PIT_UNDONE_KEPT,    /* somebody changed it since, so it was left */
	PIT_UNDONE_GONE,    /* by a reboot, or with the device */
	PIT_UNDONE_FAILED
};
const char *pit_undone_name(enum pit_undone u);

struct pit_entry {  /* one change, as the journal tells it */
	char *knob; /* id; "" none */
	struct pit_cell cell;
	char *old, *new; /* NULL absent */
	bool companion;
	bool tried; /* its writing may have begun. Never told by a journal: it is for the transaction at work */
	bool set;   /* written and read back */
	char *now;  /* what was read back then */
	enum pit_undone undone;
};
void pit_entry_free(struct pit_entry *e); /* back to all-zero */

struct pit_record {
	int txn; /* 0: the journal was cut off before it said so */
	char boot[37];
	int64_t time; /* seconds since 1970 */
	char tool[32], kind[16];
	char *profile;
	bool persist;
	int64_t uid;
	enum pit_txn_state state;
	bool ready;
	bool reverted; /* an undo of it ended once: only what that kept, or a later one failed at, is open still */
	struct pit_entry *entry;
	size_t entries;
	char why[16]; /* of the last undo: "roll-back", "revert", "guard"; "" there was none */
	char undo_boot[37];
	int64_t undo_time;
	bool damaged; /* a record before the end did not have its sum; `damage` says where */
	char damage[160];
	size_t used; /* bytes of the journal that say all this: what stands behind them is cut off or damaged */
};
void pit_record_free(struct pit_record *r); /* back to all-zero */

/* Replays the bytes of a journal. One that was cut off within its first record is EMPTY with `txn` 0. -EBADMSG: it is
 * of another version, or its first record is no beginning. */
int pit_journal_parse(const char *bytes, size_t len, struct pit_record *ret, struct pit_error *err);

/* Appends one line, sum and all, to `out`: of the JSON text of a record. */
void pit_journal_seal(const char *json, size_t len, struct pit_buf *out);

/* A value for a record; NULL becomes null. A new reference, NULL when memory ran out. */
json_t *pit_journal_value(const char *value);

/* For a person: "60", "nothing", or of a text of many lines or bytes how long it is, in `out`; returns `out`. */
#define PIT_VALUE_BRIEF 96
char *pit_value_brief(const char *value, char out[PIT_VALUE_BRIEF]);

/* Appends to a journal that is open for appending. `record` is consumed. Without `sync` the record may get lost in a
 * power cut, with all that follow it. When it fails nothing of the record stays. */
int pit_journal_append(int fd, json_t *record, bool sync, struct pit_error *err);

#endif
