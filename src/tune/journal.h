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
 *	{"is":"set","n":0,"now":"10"}                      written and read back
 *	{"is":"commit"}                                    fsync
 *	{"is":"undo","why":"roll-back|revert|guard","boot":"UUID","time":...}
 *	{"is":"undone","n":0,"how":"restored|already|kept|gone|failed"}
 *	{"is":"reverted"}                                  fsync: nothing of it is left, but for what was "kept"
 *
 * A last line without newline or with a bad sum is a record whose writing was cut off: it counts as not there. Before
 *the end such a line means that the journal is damaged: what stands before it is used, and the state says so.
 */
#ifndef PIT_TUNE_JOURNAL_H
#define PIT_TUNE_JOURNAL_H

#include <jansson.h>

#include "tune/target.h"

#define PIT_JOURNAL_VERSION 1

enum pit_txn_state {
	PIT_TXN_EMPTY,       /* nothing was written to the machine: cut off before "ready" */
	PIT_TXN_INTERRUPTED, /* ready, not committed, not undone: some values may be set */
	PIT_TXN_APPLIED,
	PIT_TXN_UNDOING,  /* undo began and did not end */
	PIT_TXN_REVERTED, /* ended */
};
const char *pit_txn_state_name(enum pit_txn_state s); /* "interrupted", ... */

enum pit_undone {
	PIT_UNDONE_NOT,
	PIT_UNDONE_RESTORED,
	PIT_UNDONE_ALREADY,
	PIT_UNDONE_KEPT,
	PIT_UNDONE_GONE,
	PIT_UNDONE_FAILED
};
const char *pit_undone_name(enum pit_undone u);

struct pit_entry {  /* one change, as the journal tells it */
	char *knob; /* id; "" none */
	struct pit_cell cell;
	char *old, *new; /* NULL absent */
	bool companion;
	bool set;  /* written and read back */
	char *now; /* what was read back then */
	enum pit_undone undone;
};

struct pit_record {
	int txn;
	char boot[37];
	int64_t time; /* seconds since 1970 */
	char tool[32], kind[16];
	char *profile;
	bool persist;
	int64_t uid;
	enum pit_txn_state state;
	struct pit_entry *entry;
	size_t entries;
	bool damaged; /* a record before the end did not have its sum; `damage` says where */
	char damage[96];
};
void pit_record_free(struct pit_record *r); /* back to all-zero */

/* Replays the bytes of a journal. -EBADMSG: not one record can be used, or it is of another version. */
int pit_journal_parse(const char *bytes, size_t len, struct pit_record *ret, struct pit_error *err);

/* Appends to a journal that is open for appending. `record` is consumed. Without `sync` the record may get lost in a
 * power cut, with all that follow it. */
int pit_journal_append(int fd, json_t *record, bool sync, struct pit_error *err);

#endif
