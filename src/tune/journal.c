/* SPDX-License-Identifier: MIT */
#include "tune/journal.h"

#include <string.h>
#include <sys/stat.h>

#include <xxhash.h>

const char *pit_txn_state_name(enum pit_txn_state s)
{
	static const char *const names[] = {
		[PIT_TXN_EMPTY] = "empty",       [PIT_TXN_INTERRUPTED] = "interrupted",
		[PIT_TXN_APPLIED] = "applied",   [PIT_TXN_UNDOING] = "half reverted",
		[PIT_TXN_REVERTED] = "reverted", [PIT_TXN_UNREADABLE] = "unreadable",
	};

	return (size_t)s < PIT_COUNT(names) ? names[s] : "?";
}

const char *pit_undone_name(enum pit_undone u)
{
	static const char *const names[] = {
		[PIT_UNDONE_NOT] = "not",   [PIT_UNDONE_RESTORED] = "restored", [PIT_UNDONE_ALREADY] = "already",
		[PIT_UNDONE_KEPT] = "kept", [PIT_UNDONE_GONE] = "gone",         [PIT_UNDONE_FAILED] = "failed",
	};

	return (size_t)u < PIT_COUNT(names) ? names[u] : "?";
}

void pit_entry_free(struct pit_entry *e)
{
	pit_cell_free(&e->cell);
	free(e->knob);
	free(e->old);
	free(e->new);
	free(e->now);
	*e = (struct pit_entry){0};
}

void pit_record_free(struct pit_record *r)
{
	for (size_t i = 0; i < r->entries; i++)
		pit_entry_free(&r->entry[i]);
	free(r->entry);
	free(r->profile);
	*r = (struct pit_record){0};
}

void pit_journal_seal(const char *json, size_t len, struct pit_buf *out)
{
	pit_buf_printf(out, "%016llx ", (unsigned long long)XXH3_64bits(json, len));
	pit_buf_add(out, json, len);
	pit_buf_putc(out, '\n');
}

json_t *pit_journal_value(const char *value)
{
	json_t *j = value ? json_string(value) : json_null();
	pit_auto_buf struct pit_buf hex = PIT_BUF_INIT;

	if (j)
		return j;
	for (const char *c = value; *c; c++)
		pit_buf_printf(&hex, "%02x", (unsigned char)*c);
	return hex.failed ? NULL : json_pack("{s:s}", "hex", hex.data);
}

char *pit_value_brief(const char *value, char out[PIT_VALUE_BRIEF])
{
	if (!value)
		snprintf(out, PIT_VALUE_BRIEF, "nothing");
	else if (!*value)
		snprintf(out, PIT_VALUE_BRIEF, "an empty text");
	else if (strlen(value) >= PIT_VALUE_BRIEF - 1 || strchr(value, '\n'))
		snprintf(out, PIT_VALUE_BRIEF, "a text of %zu bytes", strlen(value));
	else
		snprintf(out, PIT_VALUE_BRIEF, "%s", value);
	return out;
}

/* All or nothing: half a record that others are written behind would be damage. */
static int write_whole(int fd, const struct pit_buf *line, bool sync)
{
	off_t before = lseek(fd, 0, SEEK_END);
	ssize_t n;
	int rc;

	if (before < 0)
		return -errno;
	do
		n = write(fd, line->data, line->len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)line->len && (!sync || !fsync(fd)))
		return 0;
	rc = n < 0 || n == (ssize_t)line->len ? -errno : -ENOSPC;
	if (n > 0 && ftruncate(fd, before))
		return -EIO;
	return rc;
}

int pit_journal_append(int fd, json_t *record, bool sync, struct pit_error *err)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	pit_auto_free char *json = record ? json_dumps(record, JSON_COMPACT) : NULL;
	int rc = json ? 0 : -ENOMEM;

	json_decref(record);
	if (json)
		pit_journal_seal(json, strlen(json), &line);
	if (line.failed)
		rc = -ENOMEM;
	if (!rc)
		rc = write_whole(fd, &line, sync);
	return rc ? pit_fail(err, -rc, "cannot write the journal: %s", strerror(-rc)) : 0;
}
