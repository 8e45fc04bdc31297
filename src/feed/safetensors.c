/* SPDX-License-Identifier: MIT */
#include "feed/safetensors.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "feed/safetensors_names.h"
#include "feed/safetensors_scan.h"
#include "feed/utf8.h"

const char *const pit_safetensors_rules[] = {
	[PIT_ST_OK] = "ok",
	[PIT_ST_HEADER_TOO_SMALL] = "HeaderTooSmall",
	[PIT_ST_HEADER_TOO_LARGE] = "HeaderTooLarge",
	[PIT_ST_INVALID_HEADER_LENGTH] = "InvalidHeaderLength",
	[PIT_ST_INVALID_HEADER] = "InvalidHeader",
	[PIT_ST_INVALID_HEADER_DESERIALIZATION] = "InvalidHeaderDeserialization",
	[PIT_ST_DUPLICATE_KEY] = "DuplicateKey",
	[PIT_ST_INVALID_OFFSET] = "InvalidOffset",
	[PIT_ST_VALIDATION_OVERFLOW] = "ValidationOverflow",
	[PIT_ST_MISALIGNED_SLICE] = "MisalignedSlice",
	[PIT_ST_TENSOR_INVALID_INFO] = "TensorInvalidInfo",
	[PIT_ST_METADATA_INCOMPLETE_BUFFER] = "MetadataIncompleteBuffer",
};

/* What the pointers of a parsed header point to. */
struct pit_safetensors_memory {
	uint64_t *shapes; /* all, one behind the other; a length takes 2 bytes of JSON and 8 here */
	char text[];      /* names, keys and values; never more than the JSON */
};

struct found {
	const char *name;
	const uint64_t *shape;
	uint64_t begin, end;
	enum pit_dtype dtype;
	unsigned dims;
};

struct parser {
	struct pit_scan scan;
	struct pit_safetensors_memory *memory;
	struct found *found;
	size_t count, room;
	struct pit_save_text *texts;
	size_t text_count, text_room;
	uint64_t *shape;    /* where the next shape goes */
	const char *inside; /* the tensor that is being read */
	bool metadata;      /* was there */
	enum pit_safetensors_rule rule;
	struct pit_error *err;
};

static void parser_free(struct parser *p)
{
	if (p->memory)
		free(p->memory->shapes);
	free(p->memory);
	free(p->found);
	free(p->texts);
}

#define BROKEN(p, which, ...) ((p)->rule = (which), pit_fail((p)->err, EBADMSG, __VA_ARGS__))
#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

int pit_safetensors_length(const void *prefix, uint64_t file_size, uint64_t *ret, enum pit_safetensors_rule *ret_rule,
			   struct pit_error *err)
{
	struct parser p = {.err = err};
	uint64_t n = 0;
	int rc = 0;

	if (file_size >= sizeof(n)) {
		memcpy(&n, prefix, sizeof(n));
		n = le64toh(n);
	}
	if (file_size < sizeof(n))
		rc = BROKEN(&p, PIT_ST_HEADER_TOO_SMALL,
			    "the file has %" PRIu64 " bytes, and the length of the header alone takes 8", file_size);
	else if (n > PIT_SAFETENSORS_HEADER_MAX)
		rc = BROKEN(&p, PIT_ST_HEADER_TOO_LARGE, "a header of %" PRIu64 " bytes; %d are allowed", n,
			    PIT_SAFETENSORS_HEADER_MAX);
	else if (n > file_size - sizeof(n))
		rc = BROKEN(&p, PIT_ST_INVALID_HEADER_LENGTH,
			    "a header of %" PRIu64 " bytes behind the first 8, in a file of %" PRIu64, n, file_size);
	else
		*ret = n;
	if (ret_rule)
		*ret_rule = p.rule;
	return rc;
}

/* Room for one more element of `size` bytes. */
static int grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t bigger = *room ? *room * 2 : 16;
	void *grown;

	if (count < *room)
		return 0;
	grown = reallocarray(*(void **)array, bigger, size);
	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*room = bigger;
	return 0;
}

/* A string that a C program can hold. */
static int text(struct parser *p, const char **ret)
{
	size_t len;
	int rc = pit_scan_string(&p->scan, ret, &len);

	if (!rc && strlen(*ret) != len)
		return pit_scan_fail(&p->scan, "a text with \\u0000, which no C program can hold");
	return rc;
}

static int one_text(struct parser *p)
{
	struct pit_save_text t = {0};
	int rc = text(p, &t.key);

	if (!rc)
		rc = pit_scan_char(&p->scan, ':');
	if (!rc)
		rc = text(p, &t.value);
	if (!rc)
		rc = grow(&p->texts, p->text_count, &p->text_room, sizeof(*p->texts));
	if (!rc)
		p->texts[p->text_count++] = t;
	return rc;
}

/* `__metadata__`: {text: text}; null is as if it were absent. */
static int metadata(struct parser *p)
{
	bool first = true;
	int rc;

	if (p->metadata)
		return pit_scan_fail(&p->scan, "__metadata__ comes twice");
	p->metadata = true;
	p->inside = "__metadata__";
	if (pit_scan_word(&p->scan, "null"))
		return 0;
	rc = pit_scan_char(&p->scan, '{');
	if (rc)
		return rc;
	while ((rc = pit_scan_next(&p->scan, '}', &first)) > 0) {
		rc = one_text(p);
		if (rc)
			return rc;
	}
	return rc;
}

static int dtype(struct parser *p, struct found *f)
{
	char *kept = p->scan.text;
	const char *name;
	size_t len;
	int rc = pit_scan_string(&p->scan, &name, &len);

	if (rc)
		return rc;
	f->dtype = strlen(name) == len ? pit_dtype_of(name) : PIT_DTYPE_NONE;
	p->scan.text = kept;
	return f->dtype ? 0 : pit_scan_fail(&p->scan, "no known dtype stands before this");
}

static int shape(struct parser *p, struct found *f)
{
	bool first = true;
	int rc = pit_scan_char(&p->scan, '[');

	if (rc)
		return rc;
	f->shape = p->shape;
	while ((rc = pit_scan_next(&p->scan, ']', &first)) > 0) {
		rc = pit_scan_u64(&p->scan, p->shape);
		if (rc)
			return rc;
		p->shape++;
		f->dims++;
	}
	return rc;
}

static int offsets(struct parser *p, struct found *f)
{
	int rc = pit_scan_char(&p->scan, '[');

	if (!rc)
		rc = pit_scan_u64(&p->scan, &f->begin);
	if (!rc)
		rc = pit_scan_next(&p->scan, ']', &(bool){false});
	if (!rc)
		return pit_scan_fail(&p->scan, "data_offsets wants two numbers");
	if (rc > 0)
		rc = pit_scan_u64(&p->scan, &f->end);
	return rc ? rc : pit_scan_char(&p->scan, ']');
}

static const struct {
	const char *name, *twice, *missing;
	int (*read)(struct parser *p, struct found *f);
} fields[] = {
	{.name = "dtype",
	 .twice = "dtype comes twice",
	 .missing = "the tensor that ends here has no dtype",
	 .read = dtype},
	{.name = "shape",
	 .twice = "shape comes twice",
	 .missing = "the tensor that ends here has no shape",
	 .read = shape},
	{.name = "data_offsets",
	 .twice = "data_offsets comes twice",
	 .missing = "the tensor that ends here has no data_offsets",
	 .read = offsets},
};

/* One member of a tensor's object; what is not known is passed over, as the reference does. */
static int field(struct parser *p, struct found *f, unsigned *have)
{
	char *kept = p->scan.text;
	const char *key;
	size_t len, i = 0;
	int rc = pit_scan_key(&p->scan, &key, &len);

	if (rc)
		return rc;
	while (i < PIT_COUNT(fields) && (strlen(fields[i].name) != len || memcmp(fields[i].name, key, len) != 0))
		i++;
	p->scan.text = kept;
	if (i == PIT_COUNT(fields))
		return pit_scan_skip(&p->scan, 2);
	if (*have & 1U << i)
		return pit_scan_fail(&p->scan, fields[i].twice);
	*have |= 1U << i;
	return fields[i].read(p, f);
}

static int tensor(struct parser *p, const char *name)
{
	struct found f = {.name = name};
	bool first = true;
	unsigned have = 0;
	int rc;

	p->inside = name;
	rc = pit_scan_char(&p->scan, '{');
	if (rc)
		return rc;
	while ((rc = pit_scan_next(&p->scan, '}', &first)) > 0) {
		rc = field(p, &f, &have);
		if (rc)
			return rc;
	}
	for (size_t i = 0; !rc && i < PIT_COUNT(fields); i++)
		if (!(have & 1U << i))
			rc = pit_scan_fail(&p->scan, fields[i].missing);
	if (!rc)
		rc = grow(&p->found, p->count, &p->room, sizeof(*p->found));
	if (!rc)
		p->found[p->count++] = f;
	return rc;
}

static int header(struct parser *p)
{
	bool first = true;
	int rc = pit_scan_char(&p->scan, '{');

	if (rc)
		return rc;
	while ((rc = pit_scan_next(&p->scan, '}', &first)) > 0) {
		const char *name;

		p->inside = NULL;
		rc = text(p, &name);
		if (!rc)
			rc = pit_scan_char(&p->scan, ':');
		if (!rc)
			rc = strcmp(name, "__metadata__") ? tensor(p, name) : metadata(p);
		if (rc)
			return rc;
	}
	p->inside = NULL;
	return rc ? rc : pit_scan_finish(&p->scan);
}

static int read_json(struct parser *p, const char *json, size_t len)
{
	size_t valid = pit_utf8_valid(json, len);
	int rc;

	if (valid < len)
		return BROKEN(p, PIT_ST_INVALID_HEADER, "byte %zu of the header (0x%02x) is not UTF-8", valid,
			      (unsigned char)json[valid]);
	p->memory = malloc(sizeof(*p->memory) + len + 1);
	if (!p->memory)
		return -ENOMEM;
	p->memory->shapes = malloc((len / 2 + 1) * sizeof(*p->memory->shapes));
	if (!p->memory->shapes)
		return -ENOMEM;
	p->shape = p->memory->shapes;
	p->scan = (struct pit_scan){.at = json, .end = json + len, .text = p->memory->text};
	rc = header(p);
	if (rc == -EBADMSG)
		rc = BROKEN(p, PIT_ST_INVALID_HEADER_DESERIALIZATION, "byte %zu of the header%s%s%s: %s",
			    (size_t)(p->scan.at - json), p->inside ? ", in '" : "", p->inside ? SHOW(p->inside) : "",
			    p->inside ? "'" : "", p->scan.why);
	return rc;
}

static const char *tensor_name(const struct parser *p, size_t i)
{
	return p->found[i].name;
}

static const char *text_key(const struct parser *p, size_t i)
{
	return p->texts[i].key;
}

static int once(struct parser *p, const char *what, size_t count, const char *(*name)(const struct parser *p, size_t i))
{
	pit_auto_free struct pit_name *names = reallocarray(NULL, count + 1, sizeof(*names));
	const struct pit_name *twice;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		pit_name_set(&names[i], name(p, i), i);
	pit_names_sort(names, count);
	twice = pit_names_twice(names, count);
	return twice ? BROKEN(p, PIT_ST_DUPLICATE_KEY, "%s '%s' comes twice", what, SHOW(twice->name)) : 0;
}

/* By range, and those with equal ranges (only empty ones may have them) in the order of the file. */
static int by_offset(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

static void sort(struct parser *p)
{
	size_t i = 1;

	while (i < p->count && by_offset(&p->found[i - 1], &p->found[i]) < 0)
		i++;
	if (i < p->count)
		qsort(p->found, p->count, sizeof(*p->found), by_offset);
}

static int check_offsets(struct parser *p, const struct found *f, uint64_t at)
{
	if (f->begin != at)
		return BROKEN(p, PIT_ST_INVALID_OFFSET,
			      "tensor '%s' begins at %" PRIu64 " and the one before it ends at %" PRIu64 ": %s",
			      SHOW(f->name), f->begin, at, f->begin < at ? "they overlap" : "there is a hole");
	if (f->end < f->begin)
		return BROKEN(p, PIT_ST_INVALID_OFFSET,
			      "tensor '%s' begins at %" PRIu64 " and ends before, at %" PRIu64, SHOW(f->name), f->begin,
			      f->end);
	return 0;
}

/* Gives the size that dtype and shape tell. */
static int check_shape(struct parser *p, const struct found *f)
{
	const char *name = pit_dtype_name(f->dtype);
	uint64_t bytes = 0;
	int rc = pit_tensor_bytes(f->dtype, f->dims, f->shape, &bytes);

	if (rc == -EOVERFLOW)
		return BROKEN(p, PIT_ST_VALIDATION_OVERFLOW,
			      "tensor '%s': the size of its %u dimensions of %s does not fit 64 bits", SHOW(f->name),
			      f->dims, name);
	if (rc)
		return BROKEN(p, PIT_ST_MISALIGNED_SLICE,
			      "tensor '%s': its elements of %u bits (%s) make no whole bytes", SHOW(f->name),
			      pit_dtype_bits(f->dtype), name);
	if (bytes != f->end - f->begin)
		return BROKEN(p, PIT_ST_TENSOR_INVALID_INFO,
			      "tensor '%s': shape and dtype %s make %" PRIu64 " bytes, its offsets %" PRIu64,
			      SHOW(f->name), name, bytes, f->end - f->begin);
	return 0;
}

static int check(struct parser *p, uint64_t data_bytes)
{
	uint64_t at = 0;
	int rc = once(p, "tensor", p->count, tensor_name);

	if (!rc)
		rc = once(p, "key of __metadata__", p->text_count, text_key);
	if (rc)
		return rc;
	sort(p);
	for (size_t i = 0; i < p->count && !rc; i++) {
		rc = check_offsets(p, &p->found[i], at);
		if (!rc)
			rc = check_shape(p, &p->found[i]);
		at = p->found[i].end;
	}
	if (!rc && at != data_bytes)
		rc = BROKEN(p, PIT_ST_METADATA_INCOMPLETE_BUFFER,
			    "the tensors end at %" PRIu64 " and the file has %" PRIu64 " bytes of data: it %s", at,
			    data_bytes, at < data_bytes ? "has more behind them" : "was cut off");
	return rc;
}

static int hand_over(struct parser *p, uint64_t len, struct pit_safetensors *ret)
{
	struct pit_safetensors_entry *entries = reallocarray(NULL, p->count + 1, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++) {
		const struct found *f = &p->found[i];

		entries[i] = (struct pit_safetensors_entry){
			.tensor = {.name = f->name,
				   .dtype = f->dtype,
				   .dims = f->dims,
				   .shape = f->shape,
				   .bytes = f->end - f->begin},
			.begin = f->begin,
		};
	}
	*ret = (struct pit_safetensors){
		.data = 8 + len,
		.count = p->count,
		.entries = entries,
		.text_count = p->text_count,
		.texts = pit_take(p->texts),
		.memory = pit_take(p->memory),
	};
	return 0;
}

int pit_safetensors_parse(const char *json, uint64_t len, uint64_t file_size, struct pit_safetensors *ret,
			  enum pit_safetensors_rule *ret_rule, struct pit_error *err)
{
	PIT_CLEANUP(parser_free) struct parser p = {.err = err};
	int rc = 0;

	if (file_size < 8 || len > file_size - 8)
		rc = BROKEN(&p, PIT_ST_INVALID_HEADER_LENGTH,
			    "a header of %" PRIu64 " bytes behind the first 8, in a file of %" PRIu64, len, file_size);
	else if (len > PIT_SAFETENSORS_HEADER_MAX)
		rc = BROKEN(&p, PIT_ST_HEADER_TOO_LARGE, "a header of %" PRIu64 " bytes; %d are allowed", len,
			    PIT_SAFETENSORS_HEADER_MAX);
	if (!rc)
		rc = read_json(&p, json, len);
	if (!rc)
		rc = check(&p, file_size - 8 - len);
	if (!rc)
		rc = hand_over(&p, len, ret);
	if (ret_rule)
		*ret_rule = p.rule;
	return rc == -ENOMEM ? pit_fail(err, ENOMEM, "no memory for a header of %" PRIu64 " bytes", len) : rc;
}

void pit_safetensors_free(struct pit_safetensors *s)
{
	if (s->memory)
		free(s->memory->shapes);
	free(s->memory);
	free(s->entries);
	free(s->texts);
	*s = (struct pit_safetensors){0};
}
