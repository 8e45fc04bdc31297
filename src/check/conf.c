/* SPDX-License-Identifier: MIT */
#include "check/conf.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"

#define DEPTH_MAX 64
#define ENTRIES_MAX 16384 /* the largest real files (CDI specifications) hold some hundreds */

void pit_conf_free(struct pit_conf *c)
{
	int saved = errno;

	for (size_t i = 0; i < c->count; i++) {
		free(c->item[i].key);
		free(c->item[i].value);
	}
	free(c->item);
	*c = (struct pit_conf){0};
	errno = saved;
}

int pit_conf_add(struct pit_conf *c, const char *key, const char *value, size_t len, int line)
{
	pit_auto_free char *k = strdup(key), *v = strndup(value, len);

	if (c->count == ENTRIES_MAX)
		return -EFBIG;
	if (c->count == c->size) {
		size_t size = c->size ? c->size * 2 : 32;
		struct pit_conf_entry *grown = reallocarray(c->item, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->item = grown;
		c->size = size;
	}
	if (!k || !v)
		return -ENOMEM;
	c->item[c->count++] = (struct pit_conf_entry){.key = pit_take(k), .value = pit_take(v), .line = line};
	return 0;
}

const struct pit_conf_entry *pit_conf_find(const struct pit_conf *c, const char *key)
{
	for (size_t i = c->count; i-- > 0;)
		if (!strcmp(c->item[i].key, key))
			return &c->item[i];
	return NULL;
}

const char *pit_conf_get(const struct pit_conf *c, const char *key)
{
	const struct pit_conf_entry *e = pit_conf_find(c, key);

	return e ? e->value : NULL;
}

const char *pit_conf_below(const struct pit_conf_entry *e, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(e->key, prefix, len) && e->key[len] == '/' ? e->key + len + 1 : NULL;
}

bool pit_conf_has(const struct pit_conf *c, const char *key)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->item[i].key, key) || pit_conf_below(&c->item[i], key))
			return true;
	return false;
}

static int flatten(const json_t *node, struct pit_buf *path, int depth, struct pit_conf *ret);

static int flatten_child(const json_t *child, const char *name, struct pit_buf *path, int depth, struct pit_conf *ret)
{
	size_t len = path->len;
	int rc;

	pit_buf_printf(path, "%s%s", len ? "/" : "", name);
	rc = path->failed ? -ENOMEM : flatten(child, path, depth + 1, ret);
	if (!path->failed)
		path->data[path->len = len] = '\0';
	return rc;
}

static int flatten_scalar(const json_t *node, const char *key, struct pit_conf *ret)
{
	pit_auto_free char *text = NULL;

	if (json_is_string(node))
		return pit_conf_add(ret, key, json_string_value(node), json_string_length(node), 0);
	text = json_dumps(node, JSON_ENCODE_ANY);
	return text ? pit_conf_add(ret, key, text, strlen(text), 0) : -ENOMEM;
}

static int flatten(const json_t *node, struct pit_buf *path, int depth, struct pit_conf *ret)
{
	const char *name;
	char number[24];
	json_t *child;
	size_t i;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return -EBADMSG;
	if (json_is_object(node)) {
		json_object_foreach((json_t *)node, name,
				    child) if ((rc = flatten_child(child, name, path, depth, ret))) break;
		return rc;
	}
	if (!json_is_array(node))
		return flatten_scalar(node, path->data, ret);
	json_array_foreach(node, i, child)
	{
		snprintf(number, sizeof(number), "%zu", i);
		if ((rc = flatten_child(child, number, path, depth, ret)))
			break;
	}
	return rc;
}

int pit_conf_json(const char *text, struct pit_conf *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf path = PIT_BUF_INIT;
	json_error_t e;
	json_t *node = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	int rc;

	if (!node)
		return pit_fail(err, EBADMSG, "line %d: %s", e.line, e.text);
	rc = flatten(node, &path, 0, ret);
	json_decref(node);
	return rc ? pit_fail(err, -rc, "nested too deeply, too long or out of memory") : 0;
}

int pit_conf_yaml_or_json(const char *text, struct pit_conf *ret, struct pit_error *err)
{
	const char *start = text;

	while (isspace((unsigned char)*start))
		start++;
	return *start == '{' ? pit_conf_json(text, ret, err) : pit_conf_yaml(text, ret, err);
}
