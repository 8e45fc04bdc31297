/* SPDX-License-Identifier: MIT
 *
 * A FAKE libcuda.so.1: a context that can be switched on, and registered memory that is counted. Never installed.
 */
#include <stddef.h>

int fake_cuda_context, fake_cuda_registered, fake_cuda_refuse;

int cuCtxGetCurrent(void **context);
int cuMemHostRegister_v2(void *base, size_t bytes, unsigned flags);
int cuMemHostUnregister(void *base);

int cuCtxGetCurrent(void **context)
{
	*context = fake_cuda_context ? &fake_cuda_context : NULL;
	return 0;
}

int cuMemHostRegister_v2(void *base, size_t bytes, unsigned flags)
{
	if (!base || !bytes || flags != 1 || fake_cuda_refuse)
		return 1;
	fake_cuda_registered++;
	return 0;
}

int cuMemHostUnregister(void *base)
{
	fake_cuda_registered -= base != NULL;
	return 0;
}
