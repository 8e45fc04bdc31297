/* SPDX-License-Identifier: MIT
 *
 * The text of a manifest, and back.
 */
#include "feed/manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <xxhash.h>

#include "feed/save_image.h"
#include "feed/utf8.h"

#define VERSION 1
#define DIGITS 16
#define TAIL_BEFORE "\"xxh3\": \""
#define TAIL_AFTER "\"\n}\n"

static const char zeros[] = "0000000000000000";

void pit_manifest_close(struct pit_manifest *m)
{
	int saved = errno;

	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		free(m->files[i].name);
	free(m->files);
	free(m->state);
	free(m->extra);
	free(m->path);
	free(m);
	errno = saved;
}

/* False when memory ran out: what is missing then must not look complete. */
static bool add(json_t *to, const char *key, json_t *value)
{
	return !json_object_set_new(to, key, value);
}

static bool add_sum(json_t *to, const char *key, uint64_t sum)
{
	char digits[DIGITS + 1];

	snprintf(digits, sizeof(digits), "%016" PRIx64, sum);
	return add(to, key, json_string(digits));
}

static bool add_files(json_t *to, const struct pit_manifest *m)
{
	json_t *all = json_array();
	bool good = true;

	for (size_t i = 0; i < m->count && good; i++) {
		json_t *one = json_object();

		good = add(one, "name", json_string(m->files[i].name)) &&
		       add(one, "bytes", json_integer((json_int_t)m->files[i].bytes)) &&
		       add(one, "tensors", json_integer((json_int_t)m->files[i].tensors)) &&
		       add_sum(one, "header_xxh3", m->files[i].header_sum);
		good = !json_array_append_new(all, one) && good;
	}
	return add(to, "files", all) && good;
}

/* Texts of the caller stay as they are, to the byte, as JSON strings. */
static bool add_text(json_t *to, const char *key, const char *text)
{
	return add(to, key, text ? json_string(text) : json_null());
}

static int check_text(const char *what, const char *text, struct pit_error *err)
{
	return text && pit_utf8_valid(text, strlen(text)) != strlen(text)
		       ? pit_fail(err, EINVAL, "%s is not UTF-8", what)
		       : 0;
}

/* The JSON library leaves out a key when memory for it is missing, and says nothing. */
static int check_readable(const struct pit_buf *text, struct pit_error *err)
{
	struct pit_manifest *again = NULL;

	if (pit_manifest_parse(text->data, text->len, &again, NULL))
		return pit_fail(err, ENOMEM, "no memory for the manifest");
	pit_manifest_close(again);
	return 0;
}

int pit_manifest_format(const struct pit_manifest *m, struct pit_buf *ret, struct pit_error *err)
{
	json_t *top;
	pit_auto_free char *text = NULL;
	size_t at;
	int rc = check_text("state", m->state, err);

	if (!rc)
		rc = check_text("extra", m->extra, err);
	if (rc)
		return rc;
	top = json_object();
	if (add(top, "pitcrew_checkpoint", json_integer(VERSION)) &&
	    add(top, "step", json_integer((json_int_t)m->step)) &&
	    add(top, "world", json_integer((json_int_t)m->world)) && add_files(top, m) &&
	    add_text(top, "state", m->state) && add_text(top, "extra", m->extra) &&
	    add(top, "xxh3", json_string(zeros)))
		text = json_dumps(top, JSON_INDENT(1));
	json_decref(top);
	if (text)
		pit_buf_printf(ret, "%s\n", text);
	if (!text || ret->failed)
		return pit_fail(err, ENOMEM, "no memory for the manifest");
	if (ret->len > PIT_MANIFEST_MOST)
		return pit_fail(err, E2BIG, "the manifest has %zu bytes; %zu are allowed", ret->len, PIT_MANIFEST_MOST);
	at = ret->len - strlen(TAIL_AFTER) - DIGITS;
	snprintf(ret->data + at, DIGITS + 1, "%016" PRIx64, (uint64_t)XXH3_64bits(ret->data, ret->len));
	ret->data[at + DIGITS] = '"';
	return check_readable(ret, err);
}

/* The checksum, which is the text's end. */
static int check_sum(const char *text, size_t len, struct pit_error *err)
{
	const size_t before = strlen(TAIL_BEFORE), after = strlen(TAIL_AFTER), tail = before + DIGITS + after;
	pit_auto_free char *copy = NULL;
	uint64_t said, is;

	if (len > PIT_MANIFEST_MOST)
		return pit_fail(err, EBADMSG, "%zu bytes are no manifest", len);
	if (len < tail || memcmp(text + len - tail, TAIL_BEFORE, before) != 0 ||
	    memcmp(text + len - after, TAIL_AFTER, after) != 0 || !pit_sum_parse(text + len - after - DIGITS, &said))
		return pit_fail(err, EBADMSG, "it does not end with a checksum: cut short, or no manifest");
	copy = malloc(len);
	if (!copy)
		return pit_fail(err, ENOMEM, "out of memory");
	memcpy(copy, text, len);
	memcpy(copy + len - after - DIGITS, zeros, DIGITS);
	is = XXH3_64bits(copy, len);
	if (is == said)
		return 0;
	return pit_fail(err, EBADMSG, "damaged: the checksum is %016" PRIx64 ", not %016" PRIx64, is, said);
}

static bool get_number(const json_t *from, const char *key, uint64_t *ret)
{
	const json_t *value = json_object_get(from, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static bool get_sum(const json_t *from, const char *key, uint64_t *ret)
{
	const json_t *value = json_object_get(from, key);

	return json_is_string(value) && json_string_length(value) == DIGITS &&
	       pit_sum_parse(json_string_value(value), ret);
}

/* A name in the directory itself. */
static bool is_plain_name(const json_t *value)
{
	const char *name = json_string_value(value);

	return name && *name && strlen(name) == json_string_length(value) && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int get_file(const json_t *from, struct pit_manifest_file *ret, struct pit_error *err)
{
	const json_t *name = json_object_get(from, "name");

	if (!is_plain_name(name))
		return pit_fail(err, EBADMSG, "a file has no proper name");
	if (!get_number(from, "bytes", &ret->bytes) || !get_number(from, "tensors", &ret->tensors) ||
	    !get_sum(from, "header_xxh3", &ret->header_sum))
		return pit_fail(err, EBADMSG, "file '%.100s': bytes, tensors or header_xxh3 are missing or wrong",
				json_string_value(name));
	ret->name = strdup(json_string_value(name));
	return ret->name ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

static int get_files(const json_t *top, struct pit_manifest *m, struct pit_error *err)
{
	const json_t *files = json_object_get(top, "files");
	size_t count = json_array_size(files);

	if (!json_is_array(files))
		return pit_fail(err, EBADMSG, "it has no list of files");
	m->files = calloc(count + 1, sizeof(*m->files));
	if (!m->files)
		return pit_fail(err, ENOMEM, "out of memory");
	for (; m->count < count; m->count++) {
		int rc = get_file(json_array_get(files, m->count), &m->files[m->count], err);

		if (rc)
			return rc;
	}
	return 0;
}

static int get_text(const json_t *top, const char *key, char **ret, struct pit_error *err)
{
	const json_t *value = json_object_get(top, key);

	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return pit_fail(err, EBADMSG, "%s is no text", key);
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

static int get_all(const json_t *top, struct pit_manifest *m, struct pit_error *err)
{
	uint64_t version;
	int rc;

	if (!get_number(top, "pitcrew_checkpoint", &version))
		return pit_fail(err, EBADMSG, "no manifest of a checkpoint");
	if (version != VERSION)
		return pit_fail(err, EBADMSG, "version %" PRIu64 " is not known: written by a newer pitcrew", version);
	if (!get_number(top, "step", &m->step) || !get_number(top, "world", &m->world) || !m->world)
		return pit_fail(err, EBADMSG, "step or world are missing or wrong");
	rc = get_files(top, m, err);
	if (!rc)
		rc = get_text(top, "state", &m->state, err);
	if (!rc)
		rc = get_text(top, "extra", &m->extra, err);
	return rc;
}

int pit_manifest_parse(const char *text, size_t len, struct pit_manifest **ret, struct pit_error *err)
{
	pit_auto_manifest struct pit_manifest *m = NULL;
	json_error_t why;
	json_t *top;
	int rc = check_sum(text, len, err);

	if (rc)
		return rc;
	m = calloc(1, sizeof(*m));
	if (!m)
		return pit_fail(err, ENOMEM, "out of memory");
	top = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	if (!top)
		return pit_fail(err, EBADMSG, "line %d: %s", why.line, why.text);
	rc = get_all(top, m, err);
	json_decref(top);
	if (!rc)
		*ret = pit_take(m);
	return rc;
}
