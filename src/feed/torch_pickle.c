/* SPDX-License-Identifier: MIT */
#include "feed/torch_pickle.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/torch_global.h"
#include "feed/torch_stack.h"
#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)
#define BIG_MAX 255 /* bytes of an integer */

typedef struct pit_pickle_stack stack;

/* The next `len` bytes; NULL with the error set when they are not there. */
static const uint8_t *take(stack *s, uint64_t len)
{
	const uint8_t *at = s->p;

	if (len > (uint64_t)(s->end - s->p)) {
		(void)pit_fail(s->err, EBADMSG, "ends in the middle");
		return NULL;
	}
	s->p += len;
	return at;
}

/* A little endian number of 1 to 8 bytes. */
static int number(stack *s, unsigned bytes, uint64_t *ret)
{
	const uint8_t *at = take(s, bytes);
	uint64_t n = 0;

	if (!at)
		return -EBADMSG;
	memcpy(&n, at, bytes);
	*ret = le64toh(n);
	return 0;
}

/* ---- scalars ---- */

static int op_skip(stack *s, unsigned bytes)
{
	return take(s, bytes) ? 0 : -EBADMSG;
}

static int op_proto(stack *s, unsigned unused)
{
	uint64_t n;

	(void)unused;
	if (number(s, 1, &n))
		return -EBADMSG;
	return n >= 2 && n <= 5 ? 0 : pit_fail(s->err, ENOTSUP, "is a pickle of protocol %" PRIu64, n);
}

static int op_none(stack *s, unsigned unused)
{
	(void)unused;
	return pit_stack_push(s, pit_value_new(s->memory, PIT_VALUE_NONE));
}

static int op_bool(stack *s, unsigned truth)
{
	struct pit_value *v = pit_value_new(s->memory, PIT_VALUE_BOOL);

	if (v)
		v->truth = truth;
	return pit_stack_push(s, v);
}

static int push_int(stack *s, int64_t n)
{
	struct pit_value *v = pit_value_new(s->memory, PIT_VALUE_INT);

	if (v)
		v->integer = n;
	return pit_stack_push(s, v);
}

static int op_int(stack *s, unsigned bytes)
{
	uint64_t n;

	if (number(s, bytes, &n))
		return -EBADMSG;
	return push_int(s, bytes == 4 ? (int32_t)n : (int64_t)n);
}

/* Digits of an integer of `len` bytes in two's complement. */
static int push_big(stack *s, const uint8_t *at, size_t len)
{
	char digits[BIG_MAX * 3 + 2], *d = digits + sizeof(digits);
	bool minus = at[len - 1] & 0x80, left = true;
	uint8_t n[BIG_MAX];
	unsigned carry = minus;

	for (size_t i = 0; i < len; i++) {
		unsigned byte = minus ? (at[i] ^ 0xffU) + carry : at[i];

		n[i] = (uint8_t)byte;
		carry = byte >> 8;
	}
	while (left) {
		unsigned rest = 0;

		left = false;
		for (size_t i = len; i--;) {
			rest = rest << 8 | n[i];
			n[i] = (uint8_t)(rest / 10);
			rest %= 10;
			left |= n[i];
		}
		*--d = (char)('0' + rest);
	}
	if (minus)
		*--d = '-';
	return pit_stack_push(s, pit_value_text(s->memory, PIT_VALUE_BIG, d, (size_t)(digits + sizeof(digits) - d)));
}

static int op_long(stack *s, unsigned bytes)
{
	const uint8_t *at;
	uint64_t len, n;

	if (number(s, bytes, &len))
		return -EBADMSG;
	if (len > BIG_MAX)
		return pit_fail(s->err, ENOTSUP, "holds an integer of %" PRIu64 " bytes: refused", len);
	at = take(s, len);
	if (!at)
		return -EBADMSG;
	if (len > 8)
		return push_big(s, at, len);
	n = len && at[len - 1] & 0x80 ? UINT64_MAX : 0;
	n = htole64(n);
	memcpy(&n, at, len);
	return push_int(s, (int64_t)le64toh(n));
}

static int op_float(stack *s, unsigned unused)
{
	struct pit_value *v = pit_value_new(s->memory, PIT_VALUE_FLOAT);
	uint64_t n;

	(void)unused;
	if (number(s, 8, &n))
		return -EBADMSG;
	n = __builtin_bswap64(n);
	if (v)
		memcpy(&v->number, &n, sizeof(n));
	return pit_stack_push(s, v);
}

static int push_text(stack *s, unsigned bytes, enum pit_value_kind kind)
{
	const uint8_t *at;
	uint64_t len;

	if (number(s, bytes, &len))
		return -EBADMSG;
	at = take(s, len);
	if (!at)
		return -EBADMSG;
	if (kind == PIT_VALUE_TEXT && pit_utf8_valid((const char *)at, len) != len)
		return pit_fail(s->err, ENOTSUP, "holds a text that is not UTF-8: refused");
	return pit_stack_push(s, pit_value_text(s->memory, kind, at, len));
}

static int op_text(stack *s, unsigned bytes)
{
	return push_text(s, bytes, PIT_VALUE_TEXT);
}

static int op_bytes(stack *s, unsigned bytes)
{
	return push_text(s, bytes, PIT_VALUE_BYTES);
}

/* ---- containers ---- */

static int op_mark(stack *s, unsigned unused)
{
	(void)unused;
	return pit_stack_mark(s);
}

static int op_empty(stack *s, unsigned kind)
{
	return pit_stack_push(s, pit_value_new(s->memory, kind));
}

/* Of what stands above the mark, or of the last `count`. */
static int make(stack *s, enum pit_value_kind kind, size_t count)
{
	struct pit_value *v = pit_value_new(s->memory, kind), **items;
	int rc = pit_stack_pop(s, count, &items);

	if (!rc && v && pit_value_add(s->memory, v, items, count))
		v = NULL;
	return rc ? rc : pit_stack_push(s, v);
}

static int op_tuple(stack *s, unsigned count)
{
	return make(s, PIT_VALUE_TUPLE, count);
}

static int op_marked(stack *s, unsigned kind)
{
	size_t count;
	int rc = pit_stack_unmark(s, &count);

	return rc ? rc : make(s, kind, count);
}

static int add(stack *s, size_t count, bool pairs)
{
	struct pit_value **items, *to;
	int rc = pit_stack_pop(s, count, &items);

	if (rc)
		return rc;
	to = pit_stack_top(s);
	if (!to || (pairs ? to->kind != PIT_VALUE_DICT && to->kind != PIT_VALUE_ORDERED
			  : to->kind != PIT_VALUE_LIST && to->kind != PIT_VALUE_SET))
		return pit_fail(s->err, EBADMSG, "adds to what is no container of that kind");
	if (pairs && count % 2)
		return pit_fail(s->err, EBADMSG, "adds a key without its value");
	return pit_value_add(s->memory, to, items, count) ? pit_stack_no_memory(s) : 0;
}

static int op_add(stack *s, unsigned count)
{
	return add(s, count, count == 2);
}

static int op_add_marked(stack *s, unsigned pairs)
{
	size_t count;
	int rc = pit_stack_unmark(s, &count);

	return rc ? rc : add(s, count, pairs);
}

static int op_pop(stack *s, unsigned unused)
{
	struct pit_value **items;

	(void)unused;
	return pit_stack_pop(s, 1, &items);
}

static int op_pop_mark(stack *s, unsigned unused)
{
	struct pit_value **items;
	size_t count;
	int rc = pit_stack_unmark(s, &count);

	(void)unused;
	return rc ? rc : pit_stack_pop(s, count, &items);
}

/* ---- the memo ---- */

static int op_put(stack *s, unsigned bytes)
{
	uint64_t n = s->memo_count;

	if (bytes && number(s, bytes, &n))
		return -EBADMSG;
	return pit_stack_put(s, n);
}

static int op_get(stack *s, unsigned bytes)
{
	uint64_t n;

	return number(s, bytes, &n) ? -EBADMSG : pit_stack_get(s, n);
}

/* ---- what else Python would do ---- */

static int push_global(stack *s, const char *module, size_t module_len, const char *name, size_t name_len)
{
	const struct pit_torch_global *g = pit_torch_global(module, module_len, name, name_len);
	char full[160];
	struct pit_value *v;

	if (!g) {
		snprintf(full, sizeof(full), "%.*s.%.*s", (int)(module_len < 70 ? module_len : 70), module,
			 (int)(name_len < 70 ? name_len : 70), name);
		return pit_fail(s->err, ENOTSUP, "holds %s, which is no tensor: refused", SHOW(full));
	}
	v = pit_value_new(s->memory, PIT_VALUE_GLOBAL);
	if (v)
		v->global = g;
	return pit_stack_push(s, v);
}

static int op_global(stack *s, unsigned unused)
{
	const char *line[2];
	size_t len[2];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		const uint8_t *end = memchr(s->p, '\n', (size_t)(s->end - s->p));

		if (!end)
			return pit_fail(s->err, EBADMSG, "ends in the middle");
		line[i] = (const char *)s->p;
		len[i] = (size_t)(end - s->p);
		s->p = end + 1;
	}
	return push_global(s, line[0], len[0], line[1], len[1]);
}

static int op_stack_global(stack *s, unsigned unused)
{
	struct pit_value **a;
	int rc = pit_stack_pop(s, 2, &a);

	(void)unused;
	if (rc)
		return rc;
	if (a[0]->kind != PIT_VALUE_TEXT || a[1]->kind != PIT_VALUE_TEXT)
		return pit_fail(s->err, EBADMSG, "imports what is no name");
	return push_global(s, a[0]->text.at, a[0]->text.len, a[1]->text.at, a[1]->text.len);
}

static int op_call(stack *s, unsigned unused)
{
	struct pit_value **a, *v = NULL;
	int rc = pit_stack_pop(s, 2, &a);

	(void)unused;
	if (rc)
		return rc;
	if (a[0]->kind != PIT_VALUE_GLOBAL || !a[0]->global->call || a[1]->kind != PIT_VALUE_TUPLE)
		return pit_fail(s->err, EBADMSG, "calls what is no function");
	rc = a[0]->global->call(a[0]->global, s->memory, a[1], &v, s->err);
	return rc ? rc : pit_stack_push(s, v);
}

/* Of an OrderedDict only: its attributes, of which the package keeps _metadata. */
static int op_build(stack *s, unsigned unused)
{
	struct pit_value **state, *to;
	int rc = pit_stack_pop(s, 1, &state);

	(void)unused;
	if (rc)
		return rc;
	to = pit_stack_top(s);
	if (!to || to->kind != PIT_VALUE_ORDERED || state[0]->kind != PIT_VALUE_DICT)
		return pit_fail(s->err, ENOTSUP, "holds an object with attributes, which is no tensor: refused");
	for (size_t i = 0; i < state[0]->list.count; i += 2)
		if (pit_value_is(state[0]->list.items[i], "_metadata"))
			to->list.metadata = state[0]->list.items[i + 1];
	return 0;
}

static int op_persistent(stack *s, unsigned unused)
{
	struct pit_value **id, *v = NULL;
	int rc = pit_stack_pop(s, 1, &id);

	(void)unused;
	if (rc)
		return rc;
	rc = pit_torch_persistent(s->memory, id[0], &v, s->err);
	return rc ? rc : pit_stack_push(s, v);
}

static const struct op {
	int (*run)(stack *s, unsigned arg);
	unsigned arg;
} ops[256] = {
	[0x80] = {.run = op_proto},
	[0x95] = {.run = op_skip, .arg = 8}, /* FRAME */
	['N'] = {.run = op_none},
	[0x88] = {.run = op_bool, .arg = true},
	[0x89] = {.run = op_bool, .arg = false},
	['K'] = {.run = op_int, .arg = 1},
	['M'] = {.run = op_int, .arg = 2},
	['J'] = {.run = op_int, .arg = 4},
	[0x8a] = {.run = op_long, .arg = 1},
	[0x8b] = {.run = op_long, .arg = 4},
	['G'] = {.run = op_float},
	[0x8c] = {.run = op_text, .arg = 1},
	['X'] = {.run = op_text, .arg = 4},
	[0x8d] = {.run = op_text, .arg = 8},
	['U'] = {.run = op_text, .arg = 1}, /* Python 2's strings, which torch.load() takes for UTF-8, too */
	['T'] = {.run = op_text, .arg = 4},
	['C'] = {.run = op_bytes, .arg = 1},
	['B'] = {.run = op_bytes, .arg = 4},
	[0x8e] = {.run = op_bytes, .arg = 8},
	['('] = {.run = op_mark},
	[']'] = {.run = op_empty, .arg = PIT_VALUE_LIST},
	[')'] = {.run = op_empty, .arg = PIT_VALUE_TUPLE},
	['}'] = {.run = op_empty, .arg = PIT_VALUE_DICT},
	[0x8f] = {.run = op_empty, .arg = PIT_VALUE_SET},
	[0x85] = {.run = op_tuple, .arg = 1},
	[0x86] = {.run = op_tuple, .arg = 2},
	[0x87] = {.run = op_tuple, .arg = 3},
	['t'] = {.run = op_marked, .arg = PIT_VALUE_TUPLE},
	[0x91] = {.run = op_marked, .arg = PIT_VALUE_FROZENSET},
	['a'] = {.run = op_add, .arg = 1},
	['s'] = {.run = op_add, .arg = 2},
	['e'] = {.run = op_add_marked, .arg = false},
	[0x90] = {.run = op_add_marked, .arg = false},
	['u'] = {.run = op_add_marked, .arg = true},
	['0'] = {.run = op_pop},
	['1'] = {.run = op_pop_mark},
	['q'] = {.run = op_put, .arg = 1},
	['r'] = {.run = op_put, .arg = 4},
	[0x94] = {.run = op_put, .arg = 0},
	['h'] = {.run = op_get, .arg = 1},
	['j'] = {.run = op_get, .arg = 4},
	['c'] = {.run = op_global},
	[0x93] = {.run = op_stack_global},
	['R'] = {.run = op_call},
	['b'] = {.run = op_build},
	['Q'] = {.run = op_persistent},
};

static int step(stack *s, bool *ret_end)
{
	const uint8_t *code = take(s, 1);

	if (!code)
		return -EBADMSG;
	*ret_end = *code == '.';
	if (*ret_end)
		return 0;
	if (!ops[*code].run)
		return pit_fail(s->err, ENOTSUP,
				"has operation 0x%02x, which plain data and tensors do not need: refused", *code);
	return ops[*code].run(s, ops[*code].arg);
}

static int run(stack *s, struct pit_value **ret)
{
	const uint8_t *begin = s->p, *at = begin;
	bool end = false;
	int rc = 0;

	while (!rc && !end) {
		at = s->p;
		rc = step(s, &end);
	}
	if (!rc && (s->count != 1 || s->mark_count || s->p != s->end))
		rc = pit_fail(s->err, EBADMSG, "leaves something over");
	if (!rc)
		*ret = s->items[0];
	return rc == -ENOTSUP ? rc : pit_wrap(s->err, rc, "byte %zu", (size_t)(at - begin));
}

int pit_pickle_read(const void *pickle, size_t len, struct pit_value_memory **ret_memory, struct pit_value **ret,
		    struct pit_error *err)
{
	struct pit_pickle_stack s = {
		.p = pickle,
		.end = (const uint8_t *)pickle + len,
		.memory = pit_value_memory(PIT_PICKLE_MEMORY_MAX),
		.err = err,
	};
	int rc;

	if (len > PIT_PICKLE_MAX)
		rc = pit_fail(err, ENOTSUP, "is a pickle of %zu bytes: more than %zu are refused", len, PIT_PICKLE_MAX);
	else
		rc = s.memory ? run(&s, ret) : pit_fail(err, ENOMEM, "out of memory");
	pit_stack_free(&s);
	if (rc)
		pit_value_memory_free(s.memory);
	else
		*ret_memory = s.memory;
	return rc;
}
