/* SPDX-License-Identifier: MIT
 *
 * A driver that hangs cannot be interrupted, so NVML is called by a child process that is given up when a deadline
 * passes. It sends its answer in lines as it goes, so that one dead GPU does not hide the others.
 */
#include "host/nvml_ask.h"

#include <string.h>

#include "base/clock.h"
#include "host/child.h"

#define ANSWER_MAX (8u << 20)

const struct pit_nvml_ask pit_nvml_usual = {.start_ms = 1500, .gpu_ms = 3000, .total_ms = 15000};

static void run(int fd, const void *library)
{
	FILE *out = fdopen(fd, "w");

	if (out)
		pit_nvml_query(library, out);
}

static size_t count_lines(const struct pit_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

/* All lines that come in time; 0 when the child ended by itself. */
static int receive(const struct pit_nvml_ask *ask, struct pit_child *child, struct pit_buf *text)
{
	int64_t now = pit_now(), end = now + ask->total_ms * PIT_MS, until = now + ask->start_ms * PIT_MS;
	size_t lines = 0;
	int rc;

	while ((rc = pit_child_read(child, until < end ? until : end, ANSWER_MAX, text)) > 0) {
		size_t have = count_lines(text);

		if (have > lines)
			until = pit_now() + ask->gpu_ms * PIT_MS;
		lines = have;
	}
	return rc;
}

/* The lines as one object: the GPUs go into the first. */
static json_t *join(const struct pit_buf *text)
{
	json_t *all = NULL, *gpus = NULL;
	const char *at = text->data, *end;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);

		if (!line)
			break;
		if (all) {
			json_array_append_new(gpus, line);
			continue;
		}
		all = line;
		gpus = json_array();
		if (!json_object_get(all, "error"))
			json_object_set_new(all, "gpus", gpus);
		else
			json_decref(gpus), gpus = NULL;
	}
	return all;
}

static void note_incomplete(const struct pit_nvml_ask *ask, json_t *all, int rc)
{
	size_t have = json_array_size(json_object_get(all, "gpus"));
	json_int_t count = json_integer_value(json_object_get(all, "count"));

	if ((json_int_t)have >= count)
		return;
	if (rc == -ETIMEDOUT)
		json_object_set_new(all, "incomplete",
				    json_sprintf("GPU %zu did not answer within %d ms", have, ask->gpu_ms));
	else
		json_object_set_new(all, "incomplete", json_sprintf("the library ended at GPU %zu", have));
}

int pit_nvml_ask(const struct pit_nvml_ask *ask, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_free char *dump = NULL;
	const struct pit_child_job job = {.name = "pitcrew-nvml", .run = run, .arg = ask->library};
	struct pit_child child = PIT_CHILD_INIT;
	json_t *all;
	int rc = pit_child_start(&job, &child);

	if (rc)
		return pit_fail(err, -rc, "cannot start a helper process");
	rc = receive(ask, &child, &text);
	(void)pit_child_stop(&child);
	all = join(&text);
	if (!all && rc == -ETIMEDOUT)
		return pit_fail(err, ETIMEDOUT, "NVML did not answer within %d ms", ask->start_ms);
	if (!all)
		return pit_fail(err, rc ? -rc : EIO, "the NVML library crashed");
	note_incomplete(ask, all, rc);
	dump = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (!dump)
		return pit_fail(err, ENOMEM, "out of memory");
	pit_buf_printf(out, "%s\n", dump);
	return 0;
}
