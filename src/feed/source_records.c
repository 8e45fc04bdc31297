/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include "feed/source_body.h"
#include "feed/utf8.h"

static int add_file(struct pit_source *s, const struct pit_source_want *want, uint32_t file, struct pit_error *err)
{
	uint64_t size = s->files.size[file], bytes = want->record_bytes;
	struct pit_source_column c = {.file = file, .offset = want->header_bytes, .stride = bytes};
	char name[200];
	int rc;

	if (size < want->header_bytes || (size - want->header_bytes) % bytes)
		return pit_fail(
			err, EINVAL, "%s: %" PRIu64 " bytes are no header of %" PRIu64 " and whole records of %" PRIu64,
			pit_utf8_show(pit_source_file(s, file), name, sizeof(name)), size, want->header_bytes, bytes);
	rc = pit_source_add_shard(s, (size - want->header_bytes) / bytes);
	if (!rc)
		rc = pit_source_add_column(s, &c);
	return rc == -ENOMEM ? pit_fail(err, ENOMEM, "out of memory") : rc;
}

int pit_source_fill_records(struct pit_source *s, const struct pit_source_want *want,
			    const struct pit_source_extra *extra, struct pit_error *err)
{
	int rc = 0;

	if (!want->record_bytes)
		return pit_fail(err, EINVAL, "records: the size of one is not given");
	for (uint32_t i = 0; i < pit_source_files(s) && !rc; i++)
		rc = add_file(s, want, i, err);
	return rc;
}
