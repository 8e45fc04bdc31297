/* SPDX-License-Identifier: MIT
 *
 * The bytes as they are; and, for they would hardly ever have their check sums, each line as a record that has.
 */
#include "fuzz.h"
#include "tune/journal.h"
#include "tune/standing.h"

static void parse(const char *bytes, size_t size)
{
	struct pit_record r = {0};

	if (pit_journal_parse(bytes, size, &r, NULL))
		return;
	if (r.used > size)
		abort();
	for (size_t i = 0; i < r.entries; i++) {
		char name[32];

		pit_cell_name(&r.entry[i].cell, name, sizeof(name));
		(void)pit_entry_past(&r, &r.entry[i], "boot");
		(void)pit_entry_is_ours(&r.entry[i], r.entry[i].old);
		(void)pit_standing_old(&r, 1, &r, &r.entry[i]);
	}
	pit_record_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pit_auto_buf struct pit_buf sealed = PIT_BUF_INIT;
	const char *bytes = (const char *)data, *end = bytes + size;

	parse(bytes, size);
	for (const char *at = bytes; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);

		pit_journal_seal(at, len, &sealed);
		at += len + 1;
	}
	parse(sealed.data, sealed.len);
	return 0;
}
