# SPDX-License-Identifier: MIT
"""The C interface of libpitcrew, as in include/pitcrew/*.h: structures, numbers and functions. tests/python/abi compares
each of them with the headers."""
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint, c_uint32, c_uint64, c_void_p
from operator import index


class pit_error(Structure):
    _fields_ = [("code", c_int), ("text", c_char * 512)]


class pit_io_want(Structure):
    _fields_ = [("engine", c_uint), ("cache", c_uint), ("pages", c_uint), ("lock", c_uint), ("node_plus_1", c_int),
                ("depth", c_uint), ("threads", c_uint)]


class pit_rung(Structure):
    _fields_ = [("ladder", c_char_p), ("rung", c_char_p), ("state", c_uint), ("why", c_char * 160)]


class pit_ladder(Structure):
    _fields_ = [("count", c_uint), ("rungs", pit_rung * 32)]


class pit_source_want(Structure):
    _fields_ = [("size", c_size_t), ("kind", c_uint), ("paths", POINTER(c_char_p)), ("path_count", c_size_t),
                ("suffixes", POINTER(c_char_p)), ("suffix_count", c_size_t), ("record_bytes", c_uint64),
                ("header_bytes", c_uint64), ("tensors", POINTER(c_char_p)), ("tensor_count", c_size_t), ("index", c_char_p)]


class pit_loader_want(Structure):
    _fields_ = [("size", c_size_t), ("batch", c_uint32), ("rank", c_uint32), ("world", c_uint32), ("seed", c_uint64),
                ("epoch", c_uint64), ("shuffle", c_uint), ("block", c_uint64), ("window", c_uint64), ("tail", c_uint),
                ("as_ready", c_bool), ("on_error", c_uint), ("check", c_bool), ("memory", c_uint64), ("io", pit_io_want),
                ("cache_bytes", c_uint64), ("cache_policy", c_uint), ("cache_dir", c_char_p)]


class pit_loader_stats(Structure):
    _fields_ = [("size", c_size_t), ("samples", c_uint64), ("batches", c_uint64), ("bytes", c_uint64), ("failed", c_uint64),
                ("substituted", c_uint64), ("read_bytes", c_uint64), ("reads", c_uint64), ("wait_ns", c_uint64),
                ("full_ns", c_uint64), ("cache_requests", c_uint64), ("cache_hits", c_uint64), ("cache_hit_bytes", c_uint64),
                ("cache_bound", c_double), ("memory", c_uint64), ("depth", c_uint), ("memory_most", c_uint64)]


class pit_part(Structure):
    _fields_ = [("key", c_char_p), ("data", c_void_p), ("len", c_size_t)]


class pit_tensor(Structure):
    _fields_ = [("name", c_char_p), ("dtype", c_uint), ("dims", c_uint), ("shape", POINTER(c_uint64)), ("bytes", c_uint64)]


class pit_save_tensor(Structure):
    _fields_ = [("tensor", pit_tensor), ("data", c_void_p)]


class pit_save_text(Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class pit_save_want(Structure):
    _fields_ = [("size", c_size_t), ("io", pit_io_want), ("no_checksums", c_bool), ("texts", POINTER(pit_save_text)),
                ("text_count", c_size_t)]


class pit_checkpoint_want(Structure):
    _fields_ = [("size", c_size_t), ("keep", c_uint), ("memory", c_uint64), ("io", pit_io_want), ("no_checksums", c_bool),
                ("rank", c_uint32), ("world", c_uint32)]


class pit_checkpoint_stats(Structure):
    _fields_ = [("size", c_size_t), ("saves", c_uint64), ("bytes", c_uint64), ("stall_ns", c_uint64), ("copy_ns", c_uint64),
                ("behind_ns", c_uint64), ("staging", c_uint64)]


PROGRESS = CFUNCTYPE(c_int, c_void_p, c_uint64, c_uint64)


class pit_weights_want(Structure):
    _fields_ = [("size", c_size_t), ("io", pit_io_want), ("only", POINTER(c_size_t)), ("only_count", c_size_t),
                ("verify", c_bool), ("progress", PROGRESS), ("arg", c_void_p)]


class pit_verify_result(Structure):
    _fields_ = [("tensors", c_uint64), ("checked", c_uint64), ("bytes", c_uint64), ("damaged", c_uint64), ("first", c_char * 256)]


STRUCTURES = [pit_error, pit_io_want, pit_rung, pit_ladder, pit_source_want, pit_loader_want, pit_loader_stats, pit_part,
              pit_tensor, pit_save_tensor, pit_save_text, pit_save_want, pit_checkpoint_want, pit_checkpoint_stats,
              pit_weights_want, pit_verify_result]

# Words of this package -> (name in the headers, number).
ENGINES = {"auto": ("PIT_ENGINE_AUTO", 0), "io_uring-fixed": ("PIT_ENGINE_URING_FIXED", 1), "io_uring": ("PIT_ENGINE_URING", 2),
           "threads": ("PIT_ENGINE_THREADS", 3)}
CACHES = {"auto": ("PIT_IO_CACHE_AUTO", 0), "direct": ("PIT_IO_DIRECT", 1), "dontcache": ("PIT_IO_DONTCACHE", 2),
          "buffered": ("PIT_IO_BUFFERED", 3)}
PAGES = {"auto": ("PIT_PAGES_AUTO", 0), "huge": ("PIT_PAGES_HUGE", 1), "thp": ("PIT_PAGES_THP", 2), "plain": ("PIT_PAGES_PLAIN", 3)}
LOCKS = {"auto": ("PIT_LOCK_AUTO", 0), "cuda": ("PIT_LOCK_CUDA", 1), "mlock": ("PIT_LOCK_MLOCK", 2), "none": ("PIT_LOCK_NONE", 3)}
RUNGS = {"taken": ("PIT_RUNG_TAKEN", 0), "refused": ("PIT_RUNG_REFUSED", 1), "unused": ("PIT_RUNG_UNUSED", 2)}
KINDS = {"auto": ("PIT_SOURCE_AUTO", 0), "files": ("PIT_SOURCE_FILES", 1), "manifest": ("PIT_SOURCE_MANIFEST", 2),
         "tar": ("PIT_SOURCE_TAR", 3), "records": ("PIT_SOURCE_RECORDS", 4), "safetensors": ("PIT_SOURCE_SAFETENSORS", 5)}
SHUFFLES = {"full": ("PIT_SHUFFLE_FULL", 0), "blocks": ("PIT_SHUFFLE_BLOCKS", 1), "none": ("PIT_SHUFFLE_NONE", 2)}
TAILS = {"short": ("PIT_TAIL_SHORT", 0), "drop": ("PIT_TAIL_DROP", 1), "pad": ("PIT_TAIL_PAD", 2)}
ON_ERROR = {"fail": ("PIT_ERROR_FAIL", 0), "skip": ("PIT_ERROR_SKIP", 1), "substitute": ("PIT_ERROR_SUBSTITUTE", 2)}
POLICIES = {"fill-once": ("PIT_POLICY_FILL_ONCE", 0), "lru": ("PIT_POLICY_LRU", 1), "lfu": ("PIT_POLICY_LFU", 2),
            "clock": ("PIT_POLICY_CLOCK", 3), "s3-fifo": ("PIT_POLICY_S3FIFO", 4), "fifo": ("PIT_POLICY_FIFO", 5)}
MODES = {"durable": ("PIT_SAVE_DURABLE", 0), "copy": ("PIT_SAVE_COPY", 1), "promise": ("PIT_SAVE_PROMISE", 2)}
DTYPES = {name: ("PIT_" + name, number) for number, name in enumerate(
    "BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 F16 BF16 I32 U32 F32 C64 F64 I64 "
    "U64".split(), 1)}
CHOICES = [ENGINES, CACHES, PAGES, LOCKS, RUNGS, KINDS, SHUFFLES, TAILS, ON_ERROR, POLICIES, MODES, DTYPES]

_I, _N, _S, _Z, _B, _P = c_int, c_uint64, c_char_p, c_size_t, c_bool, c_void_p
_PP, _E, _L = POINTER(c_void_p), POINTER(pit_error), POINTER(pit_ladder)

# name: (result, parameters)
FUNCTIONS = {
    "pit_version": (_S, []),
    "pit_io_probe": (_I, [_S, POINTER(pit_io_want), _L, _E]),
    "pit_dtype_name": (_S, [c_uint]),
    "pit_dtype_bits": (c_uint, [c_uint]),
    "pit_dtype_of": (c_uint, [_S]),
    "pit_tensor_bytes": (_I, [c_uint, c_uint, POINTER(_N), POINTER(_N)]),
    "pit_source_open": (_I, [POINTER(pit_source_want), _PP, _E]),
    "pit_source_close": (None, [_P]),
    "pit_source_count": (_N, [_P]),
    "pit_source_bytes": (_N, [_P]),
    "pit_source_fingerprint": (_N, [_P]),
    "pit_source_kind_of": (c_uint, [_P]),
    "pit_source_name": (_S, [_P, _N]),
    "pit_loader_open": (_I, [_P, POINTER(pit_loader_want), _PP, _E]),
    "pit_loader_next": (_I, [_P, _PP, _E]),
    "pit_loader_cancel": (None, [_P]),
    "pit_loader_close": (None, [_P]),
    "pit_loader_epoch": (_I, [_P, _N, _E]),
    "pit_loader_batches": (_N, [_P]),
    "pit_loader_state": (_I, [_P, _P, _Z, _E]),
    "pit_loader_resume": (_I, [_P, _S, _E]),
    "pit_loader_stats": (None, [_P, POINTER(pit_loader_stats)]),
    "pit_loader_ladder": (_L, [_P]),
    "pit_loader_failed": (_S, [_P, c_uint]),
    "pit_batch_count": (c_uint32, [_P]),
    "pit_batch_sample": (_N, [_P, c_uint32]),
    "pit_batch_name": (_S, [_P, c_uint32]),
    "pit_batch_parts": (c_uint, [_P, c_uint32]),
    "pit_batch_part": (_I, [_P, c_uint32, c_uint, POINTER(pit_part)]),
    "pit_batch_list": (_Z, [_P, POINTER(_Z), POINTER(pit_part), _Z]),
    "pit_batch_position": (_N, [_P]),
    "pit_batch_array": (_P, [_P, POINTER(_Z), POINTER(_Z)]),
    "pit_batch_release": (None, [_P]),
    "pit_batch_export": (_I, [_P, _P, _Z, _E]),
    "pit_batch_import": (_I, [_S, _PP, _E]),
    "pit_save_file": (_I, [_S, POINTER(pit_save_tensor), _Z, POINTER(pit_save_want), _E]),
    "pit_checkpoint_open": (_I, [_S, POINTER(pit_checkpoint_want), _PP, _E]),
    "pit_checkpoint_close": (_I, [_P, _E]),
    "pit_checkpoint_put": (_I, [_P, _N, POINTER(pit_save_tensor), _Z, c_uint, _E]),
    "pit_checkpoint_commit": (_I, [_P, _N, _S, _S, c_uint, _E]),
    "pit_checkpoint_wait": (_I, [_P, _E]),
    "pit_checkpoint_busy": (_B, [_P]),
    "pit_checkpoint_stats": (None, [_P, POINTER(pit_checkpoint_stats)]),
    "pit_checkpoint_ladder": (_L, [_P]),
    "pit_checkpoint_list": (_I, [_S, POINTER(POINTER(_N)), POINTER(_Z), _E]),
    "pit_manifest_open": (_I, [_S, c_int64, _PP, _E]),
    "pit_manifest_close": (None, [_P]),
    "pit_manifest_path": (_S, [_P]),
    "pit_manifest_step": (_N, [_P]),
    "pit_manifest_state": (_S, [_P]),
    "pit_manifest_extra": (_S, [_P]),
    "pit_manifest_files": (_Z, [_P]),
    "pit_manifest_file": (_S, [_P, _Z, POINTER(_N)]),
    "pit_weights_open": (_I, [_S, _PP, _E]),
    "pit_weights_close": (None, [_P]),
    "pit_weights_count": (_Z, [_P]),
    "pit_weights_tensor": (POINTER(pit_tensor), [_P, _Z]),
    "pit_weights_find": (c_int64, [_P, _S]),
    "pit_weights_bytes": (_N, [_P]),
    "pit_weights_files": (_Z, [_P]),
    "pit_weights_file": (_S, [_P, _Z]),
    "pit_weights_file_of": (_Z, [_P, _Z]),
    "pit_weights_offset": (_N, [_P, _Z]),
    "pit_weights_metadata": (_I, [_P, _Z, _Z, POINTER(_S), POINTER(_S)]),
    "pit_weights_metadata_of": (_S, [_P, _Z, _S]),
    "pit_weights_read": (_I, [_P, _Z, _N, _P, _N, _E]),
    "pit_weights_load": (_I, [_P, POINTER(pit_weights_want), _PP, _E]),
    "pit_weights_verify": (_I, [_P, POINTER(pit_weights_want), POINTER(pit_verify_result), _E]),
    "pit_arena_data": (_P, [_P, _Z]),
    "pit_arena_bytes": (_N, [_P]),
    "pit_arena_ladder": (_L, [_P]),
    "pit_arena_free": (None, [_P]),
}


def whole(value, what, low=0, high=2**64 - 1):
    """A whole number within bounds; ctypes would take any other and cut it."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{what} is {value!r}, it must be a whole number") from None
    if not low <= number <= high:
        raise ValueError(f"{what} is {number}, it must be " + (f"at least {low}" if number < low else f"at most {high}"))
    return number


def number_of(choices, word, what):
    """The number for a word; a wrong one is told with what there is."""
    try:
        return choices[word][1]
    except (KeyError, TypeError):
        raise ValueError(f"{what} is {word!r}; it may be {', '.join(repr(w) for w in choices)}") from None
