/* SPDX-License-Identifier: MIT
 *
 * What a tensor is called and how it lies in memory: C order, little endian, without holes.
 */
#ifndef PITCREW_TENSOR_H
#define PITCREW_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The element types of safetensors, in the order of its reference implementation. The numbers are part of the ABI. */
enum pit_dtype {
	PIT_DTYPE_NONE, /* unknown */
	PIT_BOOL,
	PIT_F4,
	PIT_F6_E2M3,
	PIT_F6_E3M2,
	PIT_U8,
	PIT_I8,
	PIT_F8_E5M2,
	PIT_F8_E4M3,
	PIT_F8_E8M0,
	PIT_F8_E4M3FNUZ,
	PIT_F8_E5M2FNUZ,
	PIT_I16,
	PIT_U16,
	PIT_F16,
	PIT_BF16,
	PIT_I32,
	PIT_U32,
	PIT_F32,
	PIT_C64,
	PIT_F64,
	PIT_I64,
	PIT_U64,
	PIT_DTYPES, /* how many numbers there are */
};

const char *pit_dtype_name(enum pit_dtype d);  /* "BF16"; NULL when there is no such type */
unsigned pit_dtype_bits(enum pit_dtype d);     /* of one element: 4 to 64; 0 when there is no such type */
enum pit_dtype pit_dtype_of(const char *name); /* exact spelling; PIT_DTYPE_NONE when it is none */

struct pit_tensor {
	const char *name; /* UTF-8 */
	enum pit_dtype dtype;
	unsigned dims;         /* 0: a scalar */
	const uint64_t *shape; /* `dims` lengths; any may be 0 */
	uint64_t bytes;        /* of the data */
};

/* Bytes of a tensor. -EOVERFLOW when they do not fit 64 bits, -EINVAL when they are no whole number (4 and 6 bit types)
 * or the type is unknown. */
int pit_tensor_bytes(enum pit_dtype d, unsigned dims, const uint64_t *shape, uint64_t *ret);

#ifdef __cplusplus
}
#endif

#endif
