/* SPDX-License-Identifier: MIT
 *
 * Pickles of torch.save(): every operation that is known, what comes out of it as text, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "feed/torch_pickle.h"
#include "feed/torch_tree.h"

#define ORDERED "ccollections\nOrderedDict\n)R"
#define STORAGE(type, key, count) "(X\7\0\0\0storagectorch\n" type "\nX\1\0\0\0" key "X\3\0\0\0cpuK" count "tQ"
#define F32(key, count) STORAGE("FloatStorage", key, count)
#define TENSOR(storage, offset, sizes, strides)                                                                        \
	"ctorch._utils\n_rebuild_tensor_v2\n(" storage offset sizes strides "\x89" ORDERED "tR"
#define MATRIX TENSOR(F32("0", "\6"), "K\0", "K\2K\3\x86", "K\3K\1\x86")

struct vector {
	const char *name, *pickle;
	size_t len;
	const char *text; /* or what the error says */
	size_t tensors;
	int code;
};

#define V(bytes) .pickle = (bytes), .len = sizeof(bytes) - 1

static const struct vector good[] = {
	{.name = "none", V("\x80\2N."), .text = "null"},
	{.name = "true", V("\x80\2\x88."), .text = "true"},
	{.name = "false", V("\x80\5\x89."), .text = "false"},
	{.name = "int of 1", V("K\xff."), .text = "255"},
	{.name = "int of 2", V("M\xff\xff."), .text = "65535"},
	{.name = "int of 4", V("J\xff\xff\xff\xff."), .text = "-1"},
	{.name = "long of none", V("\x8a\0."), .text = "0"},
	{.name = "long of 1", V("\x8a\1\x80."), .text = "-128"},
	{.name = "long of 8", V("\x8a\x8\0\0\0\0\0\0\0\x80."), .text = "-9223372036854775808"},
	{.name = "long of 9", V("\x8a\x9\0\0\0\0\0\0\0\x80\0."), .text = "9223372036854775808"},
	{.name = "minus long of 9", V("\x8a\x9\0\0\0\0\0\0\0\0\xff."), .text = "-18446744073709551616"},
	{.name = "long of 9 that is 0", V("\x8a\x9\0\0\0\0\0\0\0\0\0."), .text = "0"},
	{.name = "long4", V("\x8b\2\0\0\0\0\1."), .text = "256"},
	{.name = "float", V("G\x3f\xf8\0\0\0\0\0\0."), .text = "1.5"},
	{.name = "float that is whole", V("G\x40\x00\0\0\0\0\0\0."), .text = "2.0"},
	{.name = "inf", V("G\xff\xf0\0\0\0\0\0\0."), .text = "{\"f\":\"-inf\"}"},
	{.name = "nan", V("G\x7f\xf8\0\0\0\0\0\0."), .text = "{\"f\":\"nan\"}"},
	{.name = "text", V("X\4\0\0\0a\"\n\0."), .text = "\"a\\\"\\n\\u0000\""},
	{.name = "short text", V("\x8c\2\xc3\xa9."), .text = "\"\xc3\xa9\""},
	{.name = "long text", V("\x8d\1\0\0\0\0\0\0\0a."), .text = "\"a\""},
	{.name = "texts of Python 2", V("U\1aT\1\0\0\0b\x86."), .text = "{\"t\":[\"a\",\"b\"]}"},
	{.name = "bytes",
	 V("C\1aB\2\0\0\0ab\x8e\3\0\0\0\0\0\0\0\xff\xfe\xfd\x87."),
	 .text = "{\"t\":[{\"b\":\"YQ==\"},{\"b\":\"YWI=\"},{\"b\":\"//79\"}]}"},
	{.name = "bytes of protocol 2",
	 V("c_codecs\nencode\nX\5\0\0\0\xc3\xbf\0\xc2\x80X\6\0\0\0latin1\x86R."),
	 .text = "{\"b\":\"/wCA\"}"},
	{.name = "no bytes", V("c__builtin__\nbytes\n)R."), .text = "{\"b\":\"\"}"},
	{.name = "empty ones", V("(])}\x8ft."), .text = "{\"t\":[[],{\"t\":[]},{\"d\":[]},{\"s\":[]}]}"},
	{.name = "tuples",
	 V("N\x85N\x86NN\x87(t\x86."),
	 .text = "{\"t\":[{\"t\":[{\"t\":[{\"t\":[null]},null]},null,null]},{\"t\":[]}]}"},
	{.name = "append", V("]K\1a(K\2K\3e."), .text = "[1,2,3]"},
	{.name = "set items", V("}K\1K\2s(NK\3\x88K\4u."), .text = "{\"d\":[[1,2],[null,3],[true,4]]}"},
	{.name = "sets", V("\x8f(K\1K\2\x90(K\3\x91\x86."), .text = "{\"t\":[{\"s\":[1,2]},{\"fs\":[3]}]}"},
	{.name = "sets of protocol 2", V("c__builtin__\nset\n]K\1a\x85R."), .text = "{\"s\":[1]}"},
	{.name = "complex",
	 V("cbuiltins\ncomplex\nG\0\0\0\0\0\0\0\0G\x3f\xf0\0\0\0\0\0\0\x86R."),
	 .text = "{\"c\":[0.0,1.0]}"},
	{.name = "frames, global of the stack",
	 V("\x80\4\x95\1\0\0\0\0\0\0\0\x8c\5torch\x8c\4Size\x93K\1\x85\x85R."),
	 .text = "{\"t\":[1]}"},
	{.name = "memo", V("]q\0(K\1r\1\0\0\0h\1j\1\0\0\0\x94h\2e."), .text = "[1,1,1,1]"},
	{.name = "memo from 1 on", V("]q\1h\1\x86."), .text = "{\"t\":[[],[]]}"},
	{.name = "pop",
	 V("K\1K\2"
	   "0(K\3K\4"
	   "1."),
	 .text = "1"},
	{.name = "ordered",
	 V(ORDERED "K\1K\2s}X\x9\0\0\0_metadata" ORDERED "sb."),
	 .text = "{\"o\":[[1,2]],\"m\":{\"o\":[]}}"},
	{.name = "ordered of pairs",
	 V("ccollections\nOrderedDict\n](]K\1aK\2aK\3K\4\x86"
	   "e\x85R."),
	 .text = "{\"o\":[[1,2],[3,4]]}"},
	{.name = "tensor", V(MATRIX "."), .text = "{\"T\":\"tensor\"}", .tensors = 1},
	{.name = "names",
	 V("}X\1\0\0\0a](" MATRIX TENSOR(F32("1", "\1"), "K\0", ")", ")") "esX\3\0\0\0a.1K\1s."),
	 .text = "{\"d\":[[\"a\",[{\"T\":\"a.0\"},{\"T\":\"a.1\"}]],[\"a.1\",1]]}",
	 .tensors = 2},
	{.name = "the same name",
	 V("](}X\3\0\0\0b.cq\0" TENSOR(F32("1", "\1"), "K\0", ")",
				       ")") "s}X\1\0\0\0b}X\1\0\0\0c" TENSOR(F32("2", "\1"), "K\0", ")", ")") "ss\x86"
													      "e."),
	 .text = "[{\"t\":[{\"d\":[[\"b.c\",{\"T\":\"0.0.b.c\"}]]},{\"d\":[[\"b\",{\"d\":[[\"c\",{\"T\":\"0.1.b.c\"}]]}]]}]}]",
	 .tensors = 2},
	{.name = "really the same name",
	 V("}(X\3\0\0\0b.c" TENSOR(F32("1", "\1"), "K\0", ")",
				   ")") "X\1\0\0\0b}X\1\0\0\0c" TENSOR(F32("2", "\1"), "K\0", ")", ")") "su."),
	 .text = "{\"d\":[[\"b.c\",{\"T\":\"b.c\"}],[\"b\",{\"d\":[[\"c\",{\"T\":\"b.c#2\"}]]}]]}",
	 .tensors = 2},
	{.name = "tied", V(MATRIX MATRIX "\x86."), .text = "{\"t\":[{\"T\":\"0\"},{\"T\":\"0\"}]}", .tensors = 1},
	{.name = "not tied",
	 V(MATRIX TENSOR(F32("0", "\6"), "K\0", "K\3K\2\x86", "K\1K\3\x86") "\x86."),
	 .text = "{\"t\":[{\"T\":\"0\"},{\"T\":\"1\"}]}",
	 .tensors = 2},
	{.name = "parameter",
	 V("ctorch._utils\n_rebuild_parameter\n" MATRIX "\x88" ORDERED "\x87R."),
	 .text = "{\"T\":\"tensor\",\"r\":true}",
	 .tensors = 1},
	{.name = "pairs",
	 V(TENSOR(STORAGE("ComplexDoubleStorage", "0", "\2"), "K\0", "K\2\x85", "K\1\x85") "."),
	 .text = "{\"T\":\"tensor\",\"x\":true}",
	 .tensors = 1},
	{.name = "types without storage",
	 V("ctorch._utils\n_rebuild_tensor_v3\n((X\7\0\0\0storagectorch.storage\nUntypedStorage\nX\1\0\0\0"
	   "0X\3\0\0\0cpuK\x8tQ"
	   "K\1K\3\x85K\1\x85\x89" ORDERED "ctorch\nuint16\ntR."),
	 .text = "{\"T\":\"tensor\"}",
	 .tensors = 1},
	{.name = "empty, anywhere",
	 V(TENSOR(F32("0", "\0"), "K\7", "K\0K\3\x86", "K\3K\1\x86") "."),
	 .text = "{\"T\":\"tensor\"}",
	 .tensors = 1},
	{.name = "expanded",
	 V(TENSOR(F32("0", "\1"), "K\0", "K\7\x85", "K\0\x85") "."),
	 .text = "{\"T\":\"tensor\"}",
	 .tensors = 1},
};

#define BAD .code = -EBADMSG
#define NO .code = -ENOTSUP
static const struct vector bad[] = {
	{.name = "nothing", V(""), BAD, .text = "byte 0: ends in the middle"},
	{.name = "no end", V("N"), BAD, .text = "byte 1: ends in the middle"},
	{.name = "more behind", V("N.N"), BAD, .text = "leaves something over"},
	{.name = "two values", V("NN."), BAD, .text = "leaves something over"},
	{.name = "no value", V("."), BAD, .text = "leaves something over"},
	{.name = "open mark", V("N(."), BAD, .text = "leaves something over"},
	{.name = "protocol 1", V("\x80\1N."), NO, .text = "protocol 1"},
	{.name = "protocol 6", V("\x80\6N."), NO, .text = "protocol 6"},
	{.name = "os.system",
	 V("cos\nsystem\nX\4\0\0\0true\x85R."),
	 NO,
	 .text = "holds os.system, which is no tensor: refused"},
	{.name = "eval",
	 V("\x8c\x8"
	   "builtins\x8c\4eval\x93."),
	 NO,
	 .text = "holds builtins.eval, which is no tensor"},
	{.name = "a name with control characters", V("ca\33[2J\nb\n."), NO, .text = "holds a?[2J.b, which"},
	{.name = "global that ends", V("cos\nsystem"), BAD, .text = "ends in the middle"},
	{.name = "global of numbers", V("K\1K\2\x93."), BAD, .text = "imports what is no name"},
	{.name = "near miss", V("ctorch\n_rebuild_tensor_v2\n."), NO, .text = "torch._rebuild_tensor_v2"},
	{.name = "protocol 0", V("I1\n."), NO, .text = "operation 0x49"},
	{.name = "new object", V("ccollections\nOrderedDict\n)\x81."), NO, .text = "operation 0x81"},
	{.name = "extension", V("\x82\1."), NO, .text = "operation 0x82"},
	{.name = "instance", V("(ios\nsystem\n."), NO, .text = "operation 0x69"},
	{.name = "persistent text", V("P0\n."), NO, .text = "operation 0x50"},
	{.name = "text too long",
	 V("X\xff\xff\xff\xff"
	   "a."),
	 BAD,
	 .text = "ends in the middle"},
	{.name = "text far too long",
	 V("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
	   "a."),
	 BAD,
	 .text = "ends in the middle"},
	{.name = "text not UTF-8", V("X\1\0\0\0\xff."), NO, .text = "not UTF-8"},
	{.name = "long too long", V("\x8b\0\0\0\x7fK."), NO, .text = "integer of 2130706432 bytes"},
	{.name = "long that ends",
	 V("\x8a\x20"
	   "a."),
	 BAD,
	 .text = "ends in the middle"},
	{.name = "put of nothing", V("q\0N."), BAD, .text = "remembers nothing"},
	{.name = "put far away", V("Nr\xff\xff\xff\xff."), BAD, .text = "remembers number 4294967295 after 0"},
	{.name = "get of nothing", V("h\0."), BAD, .text = "recalls number 0 of 0"},
	{.name = "get of a gap", V("Nq\1h\0."), BAD, .text = "recalls number 0 of 2"},
	{.name = "get far away", V("Nq\0j\xff\xff\xff\xff."), BAD, .text = "recalls number 4294967295"},
	{.name = "tuple of too few", V("N\x86."), BAD, .text = "takes away more than is there"},
	{.name = "tuple over a mark", V("N(N\x86."), BAD, .text = "takes away more than is there"},
	{.name = "tuple without mark", V("Nt."), BAD, .text = "not begun"},
	{.name = "pop of nothing", V("0."), BAD, .text = "takes away more"},
	{.name = "append to a number", V("K\1K\2a."), BAD, .text = "no container"},
	{.name = "append to nothing", V("(K\1e."), BAD, .text = "no container"},
	{.name = "append to a tuple", V(")K\2a."), BAD, .text = "no container"},
	{.name = "set in a list", V("]K\2K\3s."), BAD, .text = "no container"},
	{.name = "key without value", V("}(K\1u."), BAD, .text = "key without its value"},
	{.name = "ordered of what are no pairs",
	 V("ccollections\nOrderedDict\n]]K\1aa\x85R."),
	 BAD,
	 .text = "OrderedDict with other arguments"},
	{.name = "call of a number", V("K\1)R."), BAD, .text = "calls what is no function"},
	{.name = "call of a type", V("ctorch\nfloat32\n)R."), BAD, .text = "calls what is no function"},
	{.name = "call with a list", V("ccollections\nOrderedDict\n]R."), BAD, .text = "calls what is no function"},
	{.name = "build of a dict", V("}}b."), NO, .text = "attributes"},
	{.name = "build of a tensor", V(MATRIX "}b."), NO, .text = "attributes"},
	{.name = "function alone", V("ccollections\nOrderedDict\n."), NO, .text = "collections.OrderedDict at ''"},
	{.name = "storage alone", V("]" F32("0", "\1") "a."), NO, .text = "a storage at '0'"},
	{.name = "list in itself", V("]q\0h\0a."), NO, .text = "contains itself"},
	{.name = "list as a key", V("}]K\1s."), NO, .text = "key that is neither text nor number"},
	{.name = "persistent number", V("K\1Q."), BAD, .text = "in a way that torch.save() does not"},
	{.name = "persistent of one", V("X\7\0\0\0storage\x85Q."), BAD, .text = "in a way that"},
	{.name = "key that leads out", V(F32("/", "\1") "."), BAD, .text = "in a way that"},
	{.name = "storage of a type", V(STORAGE("float32", "0", "\1") "."), BAD, .text = "in a way that"},
	{.name = "storage that is huge",
	 V("(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
	   "0X\3\0\0\0cpu\x8a\x8\0\0\0\0\0\0\0\x40tQ."),
	 BAD,
	 .text = "which no memory holds"},
	{.name = "storage below 0",
	 V("(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
	   "0X\3\0\0\0cpuJ\xff\xff\xff\xfftQ."),
	 BAD,
	 .text = "in a way that"},
	{.name = "beyond the storage",
	 V(TENSOR(F32("0", "\5"), "K\0", "K\2K\3\x86", "K\3K\1\x86") "."),
	 BAD,
	 .text = "ends at byte 24 of storage 0, which has 20"},
	{.name = "offset beyond",
	 V(TENSOR(F32("0", "\6"), "K\1", "K\2K\3\x86", "K\3K\1\x86") "."),
	 BAD,
	 .text = "ends at byte 28"},
	{.name = "stride beyond",
	 V(TENSOR(F32("0", "\6"), "K\0", "K\2K\3\x86", "K\4K\1\x86") "."),
	 BAD,
	 .text = "ends at byte 28"},
	{.name = "size overflows",
	 V(TENSOR(F32("0", "\1"), "K\0", "(\x8a\x8\0\0\0\0\1\0\0\0\x8a\x8\0\0\0\0\1\0\0\0t", "K\0K\0\x86") "."),
	 BAD,
	 .text = "size overflows"},
	{.name = "bytes overflow",
	 V(TENSOR(F32("0", "\1"), "K\0", "\x8a\x8\0\0\0\0\0\0\0\x40\x85", "K\0\x85") "."),
	 BAD,
	 .text = "size overflows"},
	{.name = "strides overflow",
	 V(TENSOR(F32("0", "\1"), "K\0", "K\3\x85", "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f\x85") "."),
	 BAD,
	 .text = "overflow"},
	{.name = "offset overflows",
	 V(TENSOR(F32("0", "\1"), "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f", "K\1\x85", "K\1\x85") "."),
	 BAD,
	 .text = "strides overflow"},
	{.name = "size below 0",
	 V(TENSOR(F32("0", "\1"), "K\0", "J\xff\xff\xff\xff\x85", "K\1\x85") "."),
	 BAD,
	 .text = "no numbers from 0 on"},
	{.name = "stride below 0",
	 V(TENSOR(F32("0", "\1"), "K\0", "K\1\x85", "J\xff\xff\xff\xff\x85") "."),
	 BAD,
	 .text = "no numbers from 0 on"},
	{.name = "offset below 0",
	 V(TENSOR(F32("0", "\1"), "J\xff\xff\xff\xff", "K\1\x85", "K\1\x85") "."),
	 BAD,
	 .text = "other arguments"},
	{.name = "fewer strides",
	 V(TENSOR(F32("0", "\1"), "K\0", "K\1\x85", ")") "."),
	 BAD,
	 .text = "same, sane number"},
	{.name = "tensor of a number", V(TENSOR("K\1", "K\0", ")", ")") "."), BAD, .text = "other arguments"},
	{.name = "tensor of too little", V("ctorch._utils\n_rebuild_tensor_v2\n)R."), BAD, .text = "other arguments"},
	{.name = "parameter of a number",
	 V("ctorch._utils\n_rebuild_parameter\nNNN\x87R."),
	 BAD,
	 .text = "other arguments"},
	{.name = "conjugate",
	 V("ctorch._utils\n_rebuild_tensor_v2\n(" F32("0", "\1") "K\0))\x89" ORDERED "}X\4\0\0\0conj\x88stR."),
	 NO,
	 .text = "conjugate"},
	{.name = "a type alone", V("ctorch\nfloat32\n."), NO, .text = "torch.float32 at ''"},
	{.name = "bytes beyond latin1",
	 V("c_codecs\nencode\nX\3\0\0\0\xe2\x82\xacX\6\0\0\0latin1\x86R."),
	 BAD,
	 .text = "other arguments"},
	{.name = "another encoding",
	 V("c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0"
	   "bz2\x86R."),
	 BAD,
	 .text = "other arguments"},
};

static int read_one(const void *pickle, size_t len, struct pit_torch_tree *tree, struct pit_value_memory **memory,
		    struct pit_error *err)
{
	pit_auto_free char *exact = malloc(len + !len); /* so that a sanitizer sees a byte too many */
	struct pit_value *top = NULL;
	int rc;

	memcpy(exact, pickle, len);
	rc = pit_pickle_read(exact, len, memory, &top, err);
	if (rc)
		return rc;
	rc = pit_torch_tree(top, tree, err);
	if (rc)
		pit_value_memory_free(*memory);
	return rc;
}

static void check(const struct vector *v)
{
	struct pit_torch_tree tree = {.text = PIT_BUF_INIT};
	struct pit_value_memory *memory = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	int rc = read_one(v->pickle, v->len, &tree, &memory, &err);

	if (rc != v->code || (rc ? !strstr(err.text, v->text) : strcmp(tree.text.data, v->text) != 0))
		fail_msg("%s: %d, '%s'", v->name, rc, rc ? err.text : tree.text.data);
	assert_int_equal(tree.count, v->tensors);
	if (rc)
		return;
	pit_torch_tree_free(&tree);
	pit_value_memory_free(memory);
}

static void test_good(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(good); i++)
		check(&good[i]);
}

static void test_bad(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(bad); i++)
		check(&bad[i]);
}

/* However it is cut, it is refused. */
static void test_cut(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(good); i++)
		for (size_t len = 0; len < good[i].len; len++) {
			struct pit_torch_tree tree;
			struct pit_value_memory *memory;
			struct pit_error err = PIT_ERROR_INIT;

			assert_true(read_one(good[i].pickle, len, &tree, &memory, &err) < 0);
			assert_true(*err.text);
		}
}

static void refuse(struct pit_buf *b, int code, const char *says)
{
	struct pit_torch_tree tree;
	struct pit_value_memory *memory;
	struct pit_error err = PIT_ERROR_INIT;
	int64_t begin = pit_now();

	assert_int_equal(read_one(b->data, b->len, &tree, &memory, &err), code);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
	assert_true(pit_now() - begin < 60000 * PIT_MS);
	pit_buf_free(b);
}

static void test_depth(void **state)
{
	struct pit_buf b = PIT_BUF_INIT;

	for (int i = 0; i < 1000000; i++)
		pit_buf_putc(&b, '(');
	refuse(&b, -ENOTSUP, "4096 containers");
	pit_buf_putc(&b, 'N');
	for (int i = 0; i < 1000000; i++)
		pit_buf_putc(&b, '\x85');
	pit_buf_putc(&b, '.');
	refuse(&b, -ENOTSUP, "100 containers in each other");
	pit_buf_putc(&b, 'N');
	for (int i = 0; i < PIT_TORCH_DEPTH_MAX; i++)
		pit_buf_putc(&b, '\x85');
	pit_buf_putc(&b, '.');
	assert_int_equal(b.len, 102);
	check(&(struct vector){.name = "depth", .pickle = "N\x85.", .len = 3, .text = "{\"t\":[null]}"});
	pit_buf_free(&b);
}

/* Each holds the one before twice: 2^40 of them. */
static void test_bomb(void **state)
{
	struct pit_buf b = PIT_BUF_INIT;

	pit_buf_add(&b, ")q\0", 3);
	for (char i = 0; i < 40; i++)
		pit_buf_add(&b, (char[]){'h', i, '\x86', 'q', (char)(i + 1)}, 5);
	pit_buf_putc(&b, '.');
	refuse(&b, -ENOTSUP, "more structure");
	pit_buf_add(&b, "](X\0\0\x10\0", 7); /* a text of a megabyte, a thousand times */
	for (int i = 0; i < 1 << 20; i++)
		pit_buf_putc(&b, 'x');
	pit_buf_add(&b, "q\0", 2);
	for (int i = 0; i < 1000; i++)
		pit_buf_add(&b, "h\0", 2);
	pit_buf_add(&b, "e.", 2);
	refuse(&b, -ENOTSUP, "more structure");
}

static void test_names(void **state)
{
	struct pit_buf b = PIT_BUF_INIT;

	pit_buf_add(&b, "}X\1\0\1\0", 6);
	for (int i = 0; i < 65537; i++)
		pit_buf_putc(&b, 'x');
	pit_buf_puts(&b, "Ns.");
	refuse(&b, -ENOTSUP, "name of more than 65536 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_bad),  cmocka_unit_test(test_cut),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_bomb), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
