/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "feed/source_body.h"
#include "feed/utf8.h"

static int add_file(struct pit_source *s, const struct pit_source_want *want, uint32_t file, struct pit_error *err)
{
	uint64_t size = s->files.size[file], bytes = want->record_bytes;
	struct pit_source_column c = {.file = file, .offset = want->header_bytes, .stride = bytes};
	int rc;

	if (size < want->header_bytes || (size - want->header_bytes) % bytes)
		return pit_fail(err, EINVAL,
				"%" PRIu64 " bytes are no header of %" PRIu64 " and whole records of %" PRIu64, size,
				want->header_bytes, bytes);
	rc = pit_source_add_shard(s, (size - want->header_bytes) / bytes);
	if (!rc)
		rc = pit_source_add_column(s, &c);
	return rc ? pit_fail(err, -rc, "%s", strerror(-rc)) : 0;
}

int pit_source_fill_records(struct pit_source *s, const struct pit_source_want *want,
			    const struct pit_source_extra *extra, struct pit_error *err)
{
	struct pit_error why = PIT_ERROR_INIT;
	char name[300];

	if (!want->record_bytes)
		return pit_fail(err, EINVAL, "records: the size of one is not given (--record-bytes, record_bytes)");
	for (uint32_t i = 0; i < pit_source_files(s); i++) {
		int rc = add_file(s, want, i, &why);

		if (rc && !pit_source_tell(extra, rc, &s->files, i, &why))
			return pit_fail(err, -rc, "%s: %s", pit_source_show(s, i, name, sizeof(name)), why.text);
	}
	return 0;
}
