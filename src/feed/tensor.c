/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "pitcrew/tensor.h"

static const struct {
	const char *name;
	unsigned bits;
} dtypes[PIT_DTYPES] = {
	[PIT_BOOL] = {.name = "BOOL", .bits = 8},
	[PIT_F4] = {.name = "F4", .bits = 4},
	[PIT_F6_E2M3] = {.name = "F6_E2M3", .bits = 6},
	[PIT_F6_E3M2] = {.name = "F6_E3M2", .bits = 6},
	[PIT_U8] = {.name = "U8", .bits = 8},
	[PIT_I8] = {.name = "I8", .bits = 8},
	[PIT_F8_E5M2] = {.name = "F8_E5M2", .bits = 8},
	[PIT_F8_E4M3] = {.name = "F8_E4M3", .bits = 8},
	[PIT_F8_E8M0] = {.name = "F8_E8M0", .bits = 8},
	[PIT_F8_E4M3FNUZ] = {.name = "F8_E4M3FNUZ", .bits = 8},
	[PIT_F8_E5M2FNUZ] = {.name = "F8_E5M2FNUZ", .bits = 8},
	[PIT_I16] = {.name = "I16", .bits = 16},
	[PIT_U16] = {.name = "U16", .bits = 16},
	[PIT_F16] = {.name = "F16", .bits = 16},
	[PIT_BF16] = {.name = "BF16", .bits = 16},
	[PIT_I32] = {.name = "I32", .bits = 32},
	[PIT_U32] = {.name = "U32", .bits = 32},
	[PIT_F32] = {.name = "F32", .bits = 32},
	[PIT_C64] = {.name = "C64", .bits = 64},
	[PIT_F64] = {.name = "F64", .bits = 64},
	[PIT_I64] = {.name = "I64", .bits = 64},
	[PIT_U64] = {.name = "U64", .bits = 64},
};

const char *pit_dtype_name(enum pit_dtype d)
{
	return (unsigned)d < PIT_DTYPES ? dtypes[d].name : NULL;
}

unsigned pit_dtype_bits(enum pit_dtype d)
{
	return (unsigned)d < PIT_DTYPES ? dtypes[d].bits : 0;
}

enum pit_dtype pit_dtype_of(const char *name)
{
	for (unsigned d = PIT_DTYPE_NONE + 1; name && d < PIT_DTYPES; d++)
		if (!strcmp(dtypes[d].name, name))
			return (enum pit_dtype)d;
	return PIT_DTYPE_NONE;
}

int pit_tensor_bytes(enum pit_dtype d, unsigned dims, const uint64_t *shape, uint64_t *ret)
{
	uint64_t bits = 1;

	if (!pit_dtype_bits(d))
		return -EINVAL;
	for (unsigned i = 0; i < dims; i++)
		if (__builtin_mul_overflow(bits, shape[i], &bits))
			return -EOVERFLOW;
	if (__builtin_mul_overflow(bits, (uint64_t)pit_dtype_bits(d), &bits))
		return -EOVERFLOW;
	if (bits % 8)
		return -EINVAL;
	*ret = bits / 8;
	return 0;
}
