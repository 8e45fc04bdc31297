/* SPDX-License-Identifier: MIT */
#include "feed/torch_global.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "feed/torch_tensor.h"

#define KEY_MAX 64

typedef struct pit_value_memory memory;

static int no_memory(struct pit_error *err)
{
	return pit_fail(err, ENOMEM, "no memory for what the pickle holds");
}

static int wrong(const struct pit_torch_global *g, struct pit_error *err)
{
	return pit_fail(err, EBADMSG, "calls %s.%s with other arguments than torch.save() writes", g->module, g->name);
}

static bool is_list(const struct pit_value *v)
{
	return v->kind == PIT_VALUE_LIST || v->kind == PIT_VALUE_TUPLE;
}

/* ---- containers and scalars ---- */

/* OrderedDict(), and Python 2's OrderedDict([[key, value], ...]) */
static int call_ordered(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
			struct pit_value **ret, struct pit_error *err)
{
	struct pit_value *v = pit_value_new(m, PIT_VALUE_ORDERED);

	if (!v)
		return no_memory(err);
	if (args->list.count > 1 || (args->list.count && !is_list(args->list.items[0])))
		return wrong(g, err);
	for (size_t i = 0; args->list.count && i < args->list.items[0]->list.count; i++) {
		const struct pit_value *pair = args->list.items[0]->list.items[i];

		if (!is_list(pair) || pair->list.count != 2)
			return wrong(g, err);
		if (pit_value_add(m, v, pair->list.items, 2))
			return no_memory(err);
	}
	*ret = v;
	return 0;
}

/* torch.Size((2, 3)), set([1]), frozenset([1]) */
static int call_container(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
			  struct pit_value **ret, struct pit_error *err)
{
	struct pit_value *v = pit_value_new(m, g->kind);

	if (!v)
		return no_memory(err);
	if (args->list.count > 1 || (args->list.count && !is_list(args->list.items[0])))
		return wrong(g, err);
	if (args->list.count && pit_value_add(m, v, args->list.items[0]->list.items, args->list.items[0]->list.count))
		return no_memory(err);
	*ret = v;
	return 0;
}

static int call_complex(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
			struct pit_value **ret, struct pit_error *err)
{
	struct pit_value *v = pit_value_new(m, PIT_VALUE_COMPLEX), **a = args->list.items;

	if (!v)
		return no_memory(err);
	if (args->list.count != 2 || a[0]->kind != PIT_VALUE_FLOAT || a[1]->kind != PIT_VALUE_FLOAT)
		return wrong(g, err);
	v->complex.re = a[0]->number;
	v->complex.im = a[1]->number;
	*ret = v;
	return 0;
}

static int call_bytes(const struct pit_torch_global *g, memory *m, const struct pit_value *args, struct pit_value **ret,
		      struct pit_error *err)
{
	if (args->list.count)
		return wrong(g, err);
	*ret = pit_value_text(m, PIT_VALUE_BYTES, "", 0);
	return *ret ? 0 : no_memory(err);
}

/* _codecs.encode("...", "latin1"): how protocol 2 writes bytes. */
static int call_encode(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
		       struct pit_value **ret, struct pit_error *err)
{
	struct pit_value *v, **a = args->list.items;
	size_t len = 0;
	char *bytes;

	if (args->list.count != 2 || a[0]->kind != PIT_VALUE_TEXT || !pit_value_is(a[1], "latin1"))
		return wrong(g, err);
	v = pit_value_text(m, PIT_VALUE_BYTES, a[0]->text.at, a[0]->text.len);
	if (!v)
		return no_memory(err);
	bytes = (char *)v->text.at;
	for (size_t i = 0; i < v->text.len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x80) {
			if (c != 0xc2 && c != 0xc3)
				return wrong(g, err);
			c = (unsigned char)((c & 3) << 6 | ((unsigned char)bytes[++i] & 0x3f));
		}
		bytes[len++] = (char)c;
	}
	bytes[len] = '\0';
	v->text.len = len;
	*ret = v;
	return 0;
}

/* ---- tensors ---- */

static bool is_empty(const struct pit_value *v)
{
	return v->kind == PIT_VALUE_NONE ||
	       ((v->kind == PIT_VALUE_DICT || v->kind == PIT_VALUE_ORDERED) && !v->list.count);
}

static int make_tensor(const struct pit_torch_global *g, memory *m, struct pit_value *const *a,
		       const struct pit_torch_global *type, struct pit_value **ret, struct pit_error *err)
{
	struct pit_value *v = pit_value_new(m, PIT_VALUE_TENSOR);

	if (!v)
		return no_memory(err);
	if (a[0]->kind != PIT_VALUE_STORAGE || a[1]->kind != PIT_VALUE_INT || a[1]->integer < 0 || !is_list(a[2]) ||
	    !is_list(a[3]) || a[4]->kind != PIT_VALUE_BOOL || !is_empty(a[5]))
		return wrong(g, err);
	v->tensor = (struct pit_torch_tensor){
		.storage = &a[0]->storage,
		.dtype = type->dtype,
		.pairs = type->pairs,
		.requires_grad = a[4]->truth,
	};
	*ret = v;
	return pit_torch_tensor_set(m, &v->tensor, (uint64_t)a[1]->integer, a[2], a[3], err);
}

/* (storage, offset, sizes, strides, requires_grad, hooks[, metadata]) */
static int call_tensor(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
		       struct pit_value **ret, struct pit_error *err)
{
	struct pit_value **a = args->list.items;

	if (args->list.count != 6 && args->list.count != 7)
		return wrong(g, err);
	if (args->list.count == 7 && !is_empty(a[6]))
		return pit_fail(err, ENOTSUP, "holds a tensor with its conjugate or negative bit set: refused");
	if (a[0]->kind != PIT_VALUE_STORAGE || a[0]->storage.type->untyped)
		return wrong(g, err);
	return make_tensor(g, m, a, a[0]->storage.type, ret, err);
}

/* (storage, offset, sizes, strides, requires_grad, hooks, dtype[, metadata]): of types that have no storage of their
 * own. */
static int call_tensor_v3(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
			  struct pit_value **ret, struct pit_error *err)
{
	struct pit_value **a = args->list.items;

	if ((args->list.count != 7 && args->list.count != 8) || a[6]->kind != PIT_VALUE_GLOBAL || a[6]->global->call ||
	    a[6]->global->is_storage)
		return wrong(g, err);
	if (args->list.count == 8 && !is_empty(a[7]))
		return pit_fail(err, ENOTSUP, "holds a tensor with its conjugate or negative bit set: refused");
	return make_tensor(g, m, a, a[6]->global, ret, err);
}

/* (tensor, requires_grad, hooks) */
static int call_parameter(const struct pit_torch_global *g, memory *m, const struct pit_value *args,
			  struct pit_value **ret, struct pit_error *err)
{
	struct pit_value **a = args->list.items, *v;

	if (args->list.count != 3 || a[0]->kind != PIT_VALUE_TENSOR || a[1]->kind != PIT_VALUE_BOOL || !is_empty(a[2]))
		return wrong(g, err);
	v = pit_value_new(m, PIT_VALUE_TENSOR);
	if (!v)
		return no_memory(err);
	v->tensor = a[0]->tensor;
	v->tensor.requires_grad = a[1]->truth;
	*ret = v;
	return 0;
}

#define CALL(m, n, f)                                                                                                  \
	{                                                                                                              \
		.module = (m), .name = (n), .call = (f)                                                                \
	}
#define CONTAINER(m, n, k)                                                                                             \
	{                                                                                                              \
		.module = (m), .name = (n), .call = call_container, .kind = (k)                                        \
	}
#define STORAGE(n, d)                                                                                                  \
	{                                                                                                              \
		.module = "torch", .name = (n), .dtype = (d), .is_storage = true                                       \
	}
#define TYPE(n, d)                                                                                                     \
	{                                                                                                              \
		.module = "torch", .name = (n), .dtype = (d)                                                           \
	}

static const struct pit_torch_global globals[] = {
	CALL("collections", "OrderedDict", call_ordered),
	CALL("torch._utils", "_rebuild_tensor_v2", call_tensor),
	CALL("torch._utils", "_rebuild_tensor_v3", call_tensor_v3),
	CALL("torch._utils", "_rebuild_parameter", call_parameter),
	CALL("_codecs", "encode", call_encode),
	CALL("__builtin__", "bytes", call_bytes),
	CALL("builtins", "bytes", call_bytes),
	CALL("__builtin__", "complex", call_complex),
	CALL("builtins", "complex", call_complex),
	CONTAINER("torch", "Size", PIT_VALUE_TUPLE),
	CONTAINER("__builtin__", "set", PIT_VALUE_SET),
	CONTAINER("builtins", "set", PIT_VALUE_SET),
	CONTAINER("__builtin__", "frozenset", PIT_VALUE_FROZENSET),
	CONTAINER("builtins", "frozenset", PIT_VALUE_FROZENSET),
	STORAGE("FloatStorage", PIT_F32),
	STORAGE("DoubleStorage", PIT_F64),
	STORAGE("HalfStorage", PIT_F16),
	STORAGE("BFloat16Storage", PIT_BF16),
	STORAGE("LongStorage", PIT_I64),
	STORAGE("IntStorage", PIT_I32),
	STORAGE("ShortStorage", PIT_I16),
	STORAGE("CharStorage", PIT_I8),
	STORAGE("ByteStorage", PIT_U8),
	STORAGE("BoolStorage", PIT_BOOL),
	STORAGE("ComplexFloatStorage", PIT_C64),
	{.module = "torch", .name = "ComplexDoubleStorage", .dtype = PIT_F64, .pairs = true, .is_storage = true},
	{.module = "torch.storage", .name = "UntypedStorage", .dtype = PIT_U8, .is_storage = true, .untyped = true},
	TYPE("bool", PIT_BOOL),
	TYPE("uint8", PIT_U8),
	TYPE("int8", PIT_I8),
	TYPE("int16", PIT_I16),
	TYPE("uint16", PIT_U16),
	TYPE("int32", PIT_I32),
	TYPE("uint32", PIT_U32),
	TYPE("int64", PIT_I64),
	TYPE("uint64", PIT_U64),
	TYPE("float16", PIT_F16),
	TYPE("bfloat16", PIT_BF16),
	TYPE("float32", PIT_F32),
	TYPE("float64", PIT_F64),
	TYPE("complex64", PIT_C64),
	{.module = "torch", .name = "complex128", .dtype = PIT_F64, .pairs = true},
	TYPE("float8_e5m2", PIT_F8_E5M2),
	TYPE("float8_e4m3fn", PIT_F8_E4M3),
	TYPE("float8_e8m0fnu", PIT_F8_E8M0),
	TYPE("float8_e4m3fnuz", PIT_F8_E4M3FNUZ),
	TYPE("float8_e5m2fnuz", PIT_F8_E5M2FNUZ),
};

const struct pit_torch_global *pit_torch_global(const char *module, size_t module_len, const char *name,
						size_t name_len)
{
	for (size_t i = 0; i < sizeof(globals) / sizeof(*globals); i++) {
		const struct pit_torch_global *g = &globals[i];

		if (strlen(g->name) == name_len && strlen(g->module) == module_len &&
		    !memcmp(g->name, name, name_len) && !memcmp(g->module, module, module_len))
			return g;
	}
	return NULL;
}

/* Names a file, and no other directory. */
static bool is_key(const struct pit_value *v)
{
	return v->kind == PIT_VALUE_TEXT && v->text.len && v->text.len <= KEY_MAX &&
	       strcspn(v->text.at, "/") == v->text.len;
}

int pit_torch_persistent(memory *m, const struct pit_value *id, struct pit_value **ret, struct pit_error *err)
{
	struct pit_value **a = id->list.items, *v;
	uint64_t bytes, element;

	if (id->kind != PIT_VALUE_TUPLE || id->list.count < 5 || id->list.count > 6 || !pit_value_is(a[0], "storage") ||
	    a[1]->kind != PIT_VALUE_GLOBAL || !a[1]->global->is_storage || !is_key(a[2]) ||
	    a[3]->kind != PIT_VALUE_TEXT || a[4]->kind != PIT_VALUE_INT || a[4]->integer < 0 ||
	    (id->list.count == 6 && a[5]->kind != PIT_VALUE_NONE))
		return pit_fail(err, EBADMSG, "speaks of a storage in a way that torch.save() does not");
	element = pit_dtype_bits(a[1]->global->dtype) / 8 * (a[1]->global->pairs ? 2 : 1);
	if (__builtin_mul_overflow((uint64_t)a[4]->integer, element, &bytes) || bytes > INT64_MAX)
		return pit_fail(err, EBADMSG, "has a storage of %" PRId64 " elements, which no memory holds",
				a[4]->integer);
	v = pit_value_new(m, PIT_VALUE_STORAGE);
	if (!v)
		return no_memory(err);
	v->storage = (struct pit_torch_storage){.key = a[2]->text.at, .bytes = bytes, .type = a[1]->global};
	*ret = v;
	return 0;
}
