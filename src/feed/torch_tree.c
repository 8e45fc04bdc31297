/* SPDX-License-Identifier: MIT */
#include "feed/torch_tree.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/strmap.h"
#include "feed/safetensors.h"
#include "feed/torch_global.h"
#include "feed/torch_tensor.h"
#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

struct walker {
	struct pit_torch_tree tree;
	struct pit_buf path;
	struct pit_strmap names; /* how often each was wished for */
	struct pit_strmap ties;  /* from place and shape to the name, which is the tree's */
	uint64_t name_bytes;
	unsigned depth;
	struct pit_error *err;
};

static int put(struct walker *w, struct pit_value *v);

static int no_memory(const struct walker *w)
{
	return pit_fail(w->err, ENOMEM, "no memory for the structure");
}

static void *from_number(uintptr_t n)
{
	return (void *)n;
}

void pit_torch_tree_free(struct pit_torch_tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->pieces[i].name);
	free(t->pieces);
	pit_buf_free(&t->text);
	pit_strv_free(&t->tied);
	pit_strv_free(&t->names);
	*t = (struct pit_torch_tree){.text = PIT_BUF_INIT};
}

/* ---- scalars ---- */

static int put_part(const char *text, size_t len, void *arg)
{
	pit_buf_add(arg, text, len);
	return 0;
}

/* `v` is consumed. */
static int put_json(struct walker *w, json_t *v)
{
	int rc = v ? json_dump_callback(v, put_part, &w->tree.text, JSON_ENCODE_ANY) : -1;

	json_decref(v);
	return rc ? no_memory(w) : 0;
}

static int put_float(struct walker *w, double n)
{
	if (isfinite(n))
		return put_json(w, json_real(n));
	pit_buf_printf(&w->tree.text, "{\"f\":\"%s\"}", isnan(n) ? "nan" : n < 0 ? "-inf" : "inf");
	return 0;
}

static int put_complex(struct walker *w, const struct pit_value *v)
{
	int rc;

	pit_buf_puts(&w->tree.text, "{\"c\":[");
	rc = put_float(w, v->complex.re);
	pit_buf_putc(&w->tree.text, ',');
	if (!rc)
		rc = put_float(w, v->complex.im);
	pit_buf_puts(&w->tree.text, "]}");
	return rc;
}

static int put_bytes(struct walker *w, const struct pit_value *v)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = (const unsigned char *)v->text.at;

	pit_buf_puts(&w->tree.text, "{\"b\":\"");
	for (size_t i = 0; i < v->text.len; i += 3) {
		size_t left = v->text.len - i;
		uint32_t n =
			(uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
		char four[4] = {digits[n >> 18], digits[n >> 12 & 63], left > 1 ? digits[n >> 6 & 63] : '=',
				left > 2 ? digits[n & 63] : '='};

		pit_buf_add(&w->tree.text, four, sizeof(four));
	}
	pit_buf_puts(&w->tree.text, "\"}");
	return 0;
}

/* ---- names ---- */

/* Adds a part to the path; gives the length to go back to, or -errno. */
static ssize_t enter(struct walker *w, const char *part, size_t len)
{
	size_t before = w->path.len;

	if (w->depth > 1)
		pit_buf_putc(&w->path, '.');
	for (size_t i = 0; i < len && len <= PIT_TORCH_PATH_MAX; i++)
		if (part[i])
			pit_buf_putc(&w->path, part[i]);
		else
			pit_buf_puts(&w->path, "\\0");
	if (len > PIT_TORCH_PATH_MAX || w->path.len > PIT_TORCH_PATH_MAX)
		return pit_fail(w->err, ENOTSUP, "holds a name of more than %d bytes: refused", PIT_TORCH_PATH_MAX);
	return w->path.failed ? no_memory(w) : (ssize_t)before;
}

static void leave(struct walker *w, ssize_t before)
{
	w->path.len = (size_t)before;
	if (w->path.size)
		w->path.data[before] = '\0';
}

static ssize_t enter_place(struct walker *w, size_t place)
{
	char text[24];

	return enter(w, text, (size_t)snprintf(text, sizeof(text), "%zu", place));
}

static ssize_t enter_key(struct walker *w, const struct pit_value *key)
{
	char text[40] = "key";

	switch (key->kind) {
	case PIT_VALUE_TEXT:
	case PIT_VALUE_BIG:
		return enter(w, key->text.at, key->text.len);
	case PIT_VALUE_NONE:
		return enter(w, "None", 4);
	case PIT_VALUE_BOOL:
		return enter(w, key->truth ? "True" : "False", key->truth ? 4 : 5);
	case PIT_VALUE_INT:
		snprintf(text, sizeof(text), "%" PRId64, key->integer);
		break;
	case PIT_VALUE_FLOAT:
		snprintf(text, sizeof(text), "%.17g", key->number);
		break;
	default:
		break;
	}
	return enter(w, text, strlen(text));
}

/* The path, or with a number behind it when that is taken. */
static char *new_name(struct walker *w)
{
	const char *base = w->path.len ? w->path.data : "tensor";
	uintptr_t number = (uintptr_t)pit_strmap_get(&w->names, base);
	pit_auto_free char *name = strdup(base);

	while (name && pit_strmap_get(&w->names, name)) {
		free(name);
		if (asprintf(&name, "%s#%zu", base, (size_t)++number) < 0)
			name = NULL;
	}
	if (!name || (number && pit_strmap_put(&w->names, base, from_number(number))) ||
	    pit_strmap_put(&w->names, name, from_number(1)))
		return NULL;
	return pit_take(name);
}

/* ---- tensors ---- */

static char *tie_of(const struct pit_torch_tensor *t)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;

	pit_buf_printf(&b, "%s/%d/%d/%" PRIu64, t->storage->key, (int)t->dtype, t->pairs, t->offset);
	for (unsigned i = 0; i < t->dims; i++)
		pit_buf_printf(&b, "/%" PRIu64 ",%" PRIu64, t->shape[i], t->strides[i]);
	return pit_buf_take(&b);
}

static int add_piece(struct walker *w, const struct pit_torch_tensor *t, const char **ret_name)
{
	struct pit_torch_tree *tree = &w->tree;
	char *name;

	if (tree->count == tree->room) {
		size_t room = tree->room ? tree->room * 2 : 64;
		struct pit_torch_piece *more = reallocarray(tree->pieces, room, sizeof(*more));

		if (!more)
			return no_memory(w);
		tree->pieces = more;
		tree->room = room;
	}
	name = new_name(w);
	if (!name)
		return no_memory(w);
	w->name_bytes += strlen(name);
	tree->pieces[tree->count++] = (struct pit_torch_piece){.name = name, .tensor = t};
	*ret_name = name;
	return 0;
}

static int put_tensor(struct walker *w, const struct pit_torch_tensor *t)
{
	pit_auto_free char *tie = tie_of(t);
	const char *name = NULL;
	int rc;

	if (!tie)
		return no_memory(w);
	if (t->count)
		name = pit_strmap_get(&w->ties, tie);
	if (name) {
		w->name_bytes += strlen(name) + w->path.len;
		if (w->path.len && (pit_strv_add(&w->tree.tied, w->path.data) || pit_strv_add(&w->tree.names, name)))
			return no_memory(w);
	} else {
		rc = add_piece(w, t, &name);
		if (rc)
			return rc;
		if (t->count && pit_strmap_put(&w->ties, tie, (void *)name))
			return no_memory(w);
	}
	pit_buf_puts(&w->tree.text, "{\"T\":");
	rc = put_json(w, json_string(name));
	pit_buf_printf(&w->tree.text, "%s%s}", t->pairs ? ",\"x\":true" : "", t->requires_grad ? ",\"r\":true" : "");
	return rc;
}

/* ---- containers ---- */

static int put_items(struct walker *w, const struct pit_value *v)
{
	int rc = 0;

	pit_buf_putc(&w->tree.text, '[');
	for (size_t i = 0; i < v->list.count && !rc; i++) {
		ssize_t before = enter_place(w, i);

		if (before < 0)
			return (int)before;
		if (i)
			pit_buf_putc(&w->tree.text, ',');
		rc = put(w, v->list.items[i]);
		leave(w, before);
	}
	pit_buf_putc(&w->tree.text, ']');
	return rc;
}

static bool is_key(const struct pit_value *v)
{
	return v->kind <= PIT_VALUE_BYTES || v->kind == PIT_VALUE_TUPLE || v->kind == PIT_VALUE_FROZENSET;
}

static int put_pair(struct walker *w, struct pit_value *key, struct pit_value *value)
{
	ssize_t before = enter_key(w, key);
	int rc;

	if (before < 0)
		return (int)before;
	if (!is_key(key))
		return pit_fail(w->err, ENOTSUP, "holds a dict with a key that is neither text nor number: refused");
	pit_buf_putc(&w->tree.text, '[');
	rc = put(w, key);
	pit_buf_putc(&w->tree.text, ',');
	if (!rc)
		rc = put(w, value);
	pit_buf_putc(&w->tree.text, ']');
	leave(w, before);
	return rc;
}

static int put_mapping(struct walker *w, const struct pit_value *v)
{
	ssize_t before;
	int rc = 0;

	pit_buf_puts(&w->tree.text, v->kind == PIT_VALUE_DICT ? "{\"d\":[" : "{\"o\":[");
	for (size_t i = 0; i + 1 < v->list.count && !rc; i += 2) {
		if (i)
			pit_buf_putc(&w->tree.text, ',');
		rc = put_pair(w, v->list.items[i], v->list.items[i + 1]);
	}
	pit_buf_putc(&w->tree.text, ']');
	if (!rc && v->kind == PIT_VALUE_ORDERED && v->list.metadata && v->list.metadata->kind != PIT_VALUE_NONE) {
		before = enter(w, "_metadata", 9);
		if (before < 0)
			return (int)before;
		pit_buf_puts(&w->tree.text, ",\"m\":");
		rc = put(w, v->list.metadata);
		leave(w, before);
	}
	pit_buf_putc(&w->tree.text, '}');
	return rc;
}

static int put_inside(struct walker *w, const struct pit_value *v)
{
	static const char *const words[] = {
		[PIT_VALUE_TUPLE] = "t", [PIT_VALUE_SET] = "s", [PIT_VALUE_FROZENSET] = "fs"};
	int rc;

	if (v->kind == PIT_VALUE_DICT || v->kind == PIT_VALUE_ORDERED)
		return put_mapping(w, v);
	if (v->kind == PIT_VALUE_LIST)
		return put_items(w, v);
	pit_buf_printf(&w->tree.text, "{\"%s\":", words[v->kind]);
	rc = put_items(w, v);
	pit_buf_putc(&w->tree.text, '}');
	return rc;
}

static int put_container(struct walker *w, struct pit_value *v)
{
	int rc;

	if (v->above)
		return pit_fail(w->err, ENOTSUP, "holds a container that contains itself ('%s'): refused",
				SHOW(w->path.data));
	if (w->depth == PIT_TORCH_DEPTH_MAX)
		return pit_fail(w->err, ENOTSUP, "holds more than %d containers in each other: refused",
				PIT_TORCH_DEPTH_MAX);
	v->above = true;
	w->depth++;
	rc = put_inside(w, v);
	w->depth--;
	v->above = false;
	return rc;
}

static int put_scalar(struct walker *w, const struct pit_value *v)
{
	switch (v->kind) {
	case PIT_VALUE_NONE:
		pit_buf_puts(&w->tree.text, "null");
		return 0;
	case PIT_VALUE_BOOL:
		pit_buf_puts(&w->tree.text, v->truth ? "true" : "false");
		return 0;
	case PIT_VALUE_INT:
		pit_buf_printf(&w->tree.text, "%" PRId64, v->integer);
		return 0;
	case PIT_VALUE_BIG:
		pit_buf_puts(&w->tree.text, v->text.at);
		return 0;
	case PIT_VALUE_FLOAT:
		return put_float(w, v->number);
	case PIT_VALUE_COMPLEX:
		return put_complex(w, v);
	case PIT_VALUE_TEXT:
		return put_json(w, json_stringn(v->text.at, v->text.len));
	default:
		return put_bytes(w, v);
	}
}

static int put(struct walker *w, struct pit_value *v)
{
	bool is_text = v->kind == PIT_VALUE_TEXT || v->kind == PIT_VALUE_BYTES;
	int rc;

	if (w->tree.text.len + w->name_bytes > PIT_TORCH_TEXT_MAX || (is_text && v->text.len > PIT_TORCH_TEXT_MAX))
		return pit_fail(w->err, ENOTSUP, "holds more structure than %d bytes of text: refused",
				PIT_TORCH_TEXT_MAX);
	if (v->kind <= PIT_VALUE_BYTES)
		rc = put_scalar(w, v);
	else if (v->kind <= PIT_VALUE_ORDERED)
		rc = put_container(w, v);
	else if (v->kind == PIT_VALUE_TENSOR)
		rc = put_tensor(w, &v->tensor);
	else
		return pit_fail(w->err, ENOTSUP, "holds %s%s%s at '%s', which is no tensor: refused",
				v->kind == PIT_VALUE_GLOBAL ? v->global->module : "a storage",
				v->kind == PIT_VALUE_GLOBAL ? "." : "",
				v->kind == PIT_VALUE_GLOBAL ? v->global->name : "", SHOW(w->path.data));
	return !rc && w->tree.text.failed ? no_memory(w) : rc;
}

int pit_torch_tree(struct pit_value *top, struct pit_torch_tree *ret, struct pit_error *err)
{
	struct walker w = {.tree = {.text = PIT_BUF_INIT}, .path = PIT_BUF_INIT, .err = err};
	int rc = 0;

	if (pit_strmap_put(&w.names, "__metadata__", from_number(1)) ||
	    pit_strmap_put(&w.names, PIT_TORCH_TREE_KEY, from_number(1)))
		rc = no_memory(&w);
	if (!rc)
		rc = put(&w, top);
	pit_strmap_free(&w.names, NULL);
	pit_strmap_free(&w.ties, NULL);
	pit_buf_free(&w.path);
	if (rc)
		pit_torch_tree_free(&w.tree);
	else
		*ret = w.tree;
	return rc;
}
