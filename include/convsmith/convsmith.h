/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 *
 * convsmith: specialised kernels for fused convolutions, found in a constant table and run from C.
 *
 * The operator a kernel carries, for one (C_in, KH, KW, C_out) and one epilogue:
 *
 *     z = conv2d(x, weight)                     with stride, padding, dilation and groups
 *     y = epilogue(z)                           e.g. GroupNorm(sigmoid((z + conv_bias + bias) * scale))
 *
 * Layouts. x is [N, C_in, H, W], weight is [C_out, C_in / conv_groups, KH, KW], y is [N, C_out, H_out, W_out]; each has
 * strides of its own, contiguous with the last index fastest (NCHW) where none are given. Per-channel parameters are
 * [C_out]. The elements of x and y are of the problem's dtype, those of the parameters are all of that dtype too or all
 * float (convsmith_params.dtype). Everything between reading x and writing y is computed in fp32.
 *
 * How it is used: describe a convsmith_problem, create a plan, let it prepack the parameters once, then run it as
 * often as wanted:
 *
 *     convsmith_plan_create -> convsmith_plan_prepack -> convsmith_plan_run ... -> convsmith_plan_destroy
 *
 * Ownership. The library owns plans; everything else (x, y, parameters, the packed parameters, the workspace) is the
 * caller's memory: device memory of the plan's GPU for a CUDA plan, host memory for a CPU plan.
 *
 * Units. Sizes of tensors and strides are counted in elements, sizes of buffers in bytes.
 *
 * Errors. A call that can fail returns a convsmith_status; what it lists are the statuses besides CONVSMITH_OK that it
 * may return. convsmith_detail says what was wrong. A call that failed has enqueued nothing, unless the status is
 * CONVSMITH_CUDA_ERROR, and changes no argument but where it says so.
 *
 * Threads. A plan is immutable: any number of threads may prepack and run one plan at once, as long as each run has
 * a workspace and an output of its own.
 */
#ifndef CONVSMITH_CONVSMITH_H
#define CONVSMITH_CONVSMITH_H

#include <stddef.h>
#include <stdint.h>

/** The version, MAJOR.MINOR.PATCH, of this header; before 1.0 a minor version may break what was. */
#define CONVSMITH_VERSION_MAJOR 0
/** See CONVSMITH_VERSION_MAJOR. */
#define CONVSMITH_VERSION_MINOR 1
/** See CONVSMITH_VERSION_MAJOR. */
#define CONVSMITH_VERSION_PATCH 0

/** What the library exports is marked with it. */
#if defined(__GNUC__)
#define CONVSMITH_API __attribute__((visibility("default")))
#else
#define CONVSMITH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that is loaded, "0.1.0", as the numbers above are that of this header. A constant. */
CONVSMITH_API const char *convsmith_version(void);

/* ---- Status ---------------------------------------------------------------------------------------------------- */

/** What became of a call. */
typedef enum convsmith_status {
    CONVSMITH_OK = 0,             /**< it did what it is for */
    CONVSMITH_INVALID_ARGUMENT,   /**< the call itself is wrong: a null pointer, a size that cannot be */
    CONVSMITH_NO_KERNEL,          /**< convsmith_table_find has no such key, says the detail; plans never fail so */
    CONVSMITH_UNSUPPORTED_DEVICE, /**< no such device, or none that this build has code for */
    CONVSMITH_TOO_LARGE,          /**< beyond what can be addressed or launched; the detail says what to split */
    CONVSMITH_OUT_OF_MEMORY,      /**< none for a plan, a tuning record, or to time kernels */
    CONVSMITH_CUDA_ERROR,         /**< the CUDA runtime refused; the detail carries its words */
    CONVSMITH_BAD_RECORD,         /**< a tuning record's file cannot be read or is damaged; the detail has the line */
} convsmith_status;

/** A short constant description of a status; never NULL, "unknown status" for a value that is none. */
CONVSMITH_API const char *convsmith_status_string(convsmith_status status);

/** What went wrong in this thread's last call that did not return CONVSMITH_OK: which argument, and what would be
 * right. Owned by the library, valid until the thread's next call; an empty string before the first failure. */
CONVSMITH_API const char *convsmith_detail(void);

/* ---- What is computed, and where ------------------------------------------------------------------------------- */

/** The elements of tensors, as they lie in memory. */
typedef enum convsmith_dtype {
    CONVSMITH_F32 = 0, /**< float */
    CONVSMITH_F16,     /**< IEEE 754 binary16 */
    CONVSMITH_BF16,    /**< the upper half of a float */
} convsmith_dtype;

/** How products may be formed; sums are fp32 in every case.
 * FP32: the error of an fp32 dot product. TF32: one tensor-core pass (inputs rounded to 10 mantissa bits) is allowed;
 * it is a permission, so where a device has no TF32 kernel for the shape, the FP32 one serves. Products of 16-bit
 * elements are exact in fp32: all kernels of F16 and BF16 are FP32 ones. */
typedef enum convsmith_math {
    CONVSMITH_MATH_FP32 = 0, /**< the error of an fp32 dot product */
    CONVSMITH_MATH_TF32,     /**< one tensor-core pass is allowed */
} convsmith_math;

/** The code a kernel is compiled to. A device supports some of them and a plan takes the best that it finds. */
typedef enum convsmith_target {
    CONVSMITH_TARGET_HOST_BASE = 0, /**< any CPU */
    CONVSMITH_TARGET_HOST_AVX2,     /**< x86-64 with AVX2 and FMA */
    CONVSMITH_TARGET_HOST_AVX512,   /**< x86-64 with AVX-512 F, DQ and VL, AVX2 and FMA */
    CONVSMITH_TARGET_SM80,          /**< CUDA, compute capability 8.0 and newer */
    CONVSMITH_TARGET_SM90A,         /**< CUDA, compute capability 9.0 exactly (Hopper) */
} convsmith_target;

/** Whose memory a plan's pointers are of. */
typedef enum convsmith_device_kind {
    CONVSMITH_DEVICE_CPU = 0, /**< the host's */
    CONVSMITH_DEVICE_CUDA,    /**< a CUDA device's */
} convsmith_device_kind;

/** A place to run: the CPU (ordinal 0), or the CUDA device of that ordinal. */
typedef struct convsmith_device {
    convsmith_device_kind kind; /**< of device */
    int ordinal;                /**< its number as the CUDA runtime counts, from 0; the CPU's is 0 */
} convsmith_device;

/** How a kernel gets at the statistics of a normalisation before it writes. */
typedef enum convsmith_schedule {
    CONVSMITH_SCHEDULE_RECOMPUTE = 0, /**< computes everything twice: once for the statistics, once to write */
    CONVSMITH_SCHEDULE_RESIDENT,      /**< keeps the values on the chip meanwhile; for problems that fit there */
    CONVSMITH_SCHEDULE_STORED,        /**< keeps the values in the workspace meanwhile, as floats */
} convsmith_schedule;

/** Which index of x and y is contiguous; the other strides may be any. An index of a single place is contiguous too. */
typedef enum convsmith_layout {
    CONVSMITH_NCHW = 0, /**< w */
    CONVSMITH_NHWC,     /**< c: PyTorch's channels_last */
} convsmith_layout;

/* ---- Epilogues ------------------------------------------------------------------------------------------------- */

/** @page epilogues Epilogues
 *
 * An epilogue is a chain of steps, their names joined by '+', applied in that order to each value v of a channel:
 * "bias+clamp(0,6)+group_norm"; "" is the bare convolution. It has at most 16 steps, the same one as often as wanted.
 *
 *     step                 values [C_out]             constants   what v becomes
 *     bias                 conv.bias                              v + p
 *     add_channel          bias                                   v + p
 *     sub_channel          sub                                    v - p
 *     mul_channel          scale                                  v * p
 *     div_channel          divisor                                v / p
 *     add_const, sub_const                            c           v + c, v - c
 *     mul_const, div_const                            c           v * c, v / c (c not 0)
 *     min_const, max_const                            c           the lesser, the greater of v and c
 *     clamp                                           lo, hi      v within lo <= hi
 *     relu, abs, square                                           max(v, 0), |v|, v * v
 *     leaky_relu                                      slope       v, or slope * v below 0
 *     elu                                             alpha       v, or alpha * (exp(v) - 1) below 0
 *     sigmoid, tanh, silu, mish, hardswish,                       as PyTorch's function of that name with its defaults
 *     hardsigmoid, softplus, gelu, gelu_tanh                      (gelu: the erf form, gelu_tanh: approximate="tanh")
 *     add_tensor                                                  v + an element of a tensor of the run's
 *     mul_input_of                                    k           v times what step number k, counted from 1, received
 *     batch_norm           batch_norm.weight, .bias,  eps         (v - mean) / sqrt(var + eps) * weight + bias
 *                          .running_mean, .running_var
 *     group_norm           group_norm.weight, .bias               over problem.groups groups, with problem.eps
 *     instance_norm        instance_norm.weight, .bias            group_norm with a group a channel; either value may
 *                                                                 be NULL: 1 and 0
 *
 * NaN stays NaN. A chain has one group_norm or instance_norm at most; right behind it the steps that add, subtract,
 * multiply, divide by a value or a constant, and batch_norm, cost nothing.
 *
 * Values and constants are given to convsmith_plan_prepack: convsmith_step.values and .constants in the order above.
 * Constants may be part of the chain instead, all of a step's in parentheses: "leaky_relu(0.1)" is another key than
 * "leaky_relu", of kernels made for that slope. However they are written, numbers that are the same float make the same
 * key: "clamp(0, 6.0)" is "clamp(0,6)".
 *
 * mul_input_of(k) makes functions of a value that is needed twice: "softplus+tanh+mul_input_of(1)" is v times
 * tanh(softplus(v)). Its step k stands before it and on the same side of a normalisation, and k is always part of the
 * chain.
 *
 * add_tensor adds a residual: convsmith_args.tensors has a tensor for each of these steps, in order, of y's sizes,
 * strides and dtype; an element is added where y has the value. A chain has at most CONVSMITH_MAX_TENSORS of them.
 *
 * In a state dict, as the program convsmith reads it, the values have the names above for the first step of a kind;
 * ".2", ".3" ... is appended for the next ones: "conv.bias.2".
 */

/** The most add_tensor steps of a chain. */
#define CONVSMITH_MAX_TENSORS 4

/** The epilogue of the operator above, as the default manifest has it. */
#define CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM "bias+add_channel+mul_channel+sigmoid+group_norm"

/* ---- The dispatch table ---------------------------------------------------------------------------------------- */

/** A kernel of a table, or a generic one. Constant, owned by the table or the library. */
typedef struct convsmith_kernel convsmith_kernel;

/** A constant, sorted list of kernels: the built-in one, or one of a program's own (CMake: convsmith_add_kernels). */
typedef struct convsmith_table convsmith_table;

/** What is computed, and for which target: the table is sorted by the fields in this order. A stride, dilation or
 * conv_groups of 0 is 1. */
typedef struct convsmith_key {
    int32_t c_in;            /**< channels of x */
    int32_t kh;              /**< rows of the kernel */
    int32_t kw;              /**< columns of the kernel */
    int32_t c_out;           /**< channels of y */
    int32_t stride_h;        /**< as convsmith_problem.stride_h, likewise the next ones */
    int32_t stride_w;        /**< in columns */
    int32_t pad_h;           /**< in rows */
    int32_t pad_w;           /**< in columns */
    int32_t dilation_h;      /**< in rows */
    int32_t dilation_w;      /**< in columns */
    int32_t conv_groups;     /**< of the convolution */
    convsmith_layout layout; /**< of x and y */
    convsmith_dtype dtype;   /**< of the elements of x and y */
    convsmith_math math;     /**< how products are formed */
    const char *epilogue;    /**< a chain of steps; never NULL */
    convsmith_target target; /**< what the kernel is compiled to */
} convsmith_key;

/** One row of the table, as data. Strings are constants. */
typedef struct convsmith_kernel_info {
    const char *name;            /**< also the name of its generated file and function */
    convsmith_key key;           /**< what it computes */
    const char *strategy;        /**< the template: "mma", "ffma", "host_avx2", ... */
    convsmith_schedule schedule; /**< how it gets at statistics */
    int32_t tile_c;              /**< channels of y that a block computes */
    int32_t tile_h;              /**< rows of them; stored: a plan fits rows and columns to its problem */
    int32_t tile_w;              /**< columns of them; resident: pixels of whole rows of x, at most */
    int32_t threads;             /**< of a CUDA block; 1 on the CPU, where a thread takes whole blocks */
    int32_t blocks_per_sm;       /**< that walk over its tiles; 0: a block computes one tile */
    int32_t registers;           /**< of a thread, as planned; 0 on the CPU and of a generic kernel */
    int32_t shared_bytes;        /**< shared memory of a CUDA block (resident: at most), or the CPU kernel's stack
                                             scratch */
    int64_t packed_bytes;        /**< size of the packed parameters; 0 of a generic kernel: the plan's */
    int64_t multiply_adds;       /**< of one output pixel, all channels, without padding; 0 of a generic kernel */
    int32_t ref_n;               /**< samples of the problem that its manifest row is planned and benchmarked at */
    int32_t ref_h;               /**< rows of its x */
    int32_t ref_w;               /**< columns of its x */
    int32_t ref_groups;          /**< of its group_norm */
} convsmith_kernel_info;

/** The table built into this library. Never NULL. */
CONVSMITH_API const convsmith_table *convsmith_builtin_table(void);

/** The number of rows of a table (NULL: the built-in one). A table that was compiled with another version's headers has
 * none, as the detail says then. */
CONVSMITH_API size_t convsmith_table_size(const convsmith_table *table);

/** Row `index` of a table (NULL: the built-in one) in key order, or NULL past the end. Rows of one key are candidates
 * for the same problems and stand side by side, the planner's choice first. */
CONVSMITH_API const convsmith_kernel *convsmith_table_at(const convsmith_table *table, size_t index);

/** The first kernel of exactly this key in a table (NULL: the built-in one), or NULL, with the detail saying what is
 * missing or wrong. The key is read during the call only. */
CONVSMITH_API const convsmith_kernel *convsmith_table_find(const convsmith_table *table, const convsmith_key *key);

/** The same in the built-in table. */
CONVSMITH_API const convsmith_kernel *convsmith_find(const convsmith_key *key);

/** What a kernel is; owned by the kernel's table, for the life of the program. NULL for NULL. */
CONVSMITH_API const convsmith_kernel_info *convsmith_kernel_get_info(const convsmith_kernel *kernel);

/** The short constant name of an element type, such as "f32"; "?" for a value that is none. */
CONVSMITH_API const char *convsmith_dtype_name(convsmith_dtype dtype);

/** The short constant name of a math, such as "tf32"; "?" for a value that is none. */
CONVSMITH_API const char *convsmith_math_name(convsmith_math math);

/** The short constant name of a target, such as "host_avx2"; "?" for a value that is none. */
CONVSMITH_API const char *convsmith_target_name(convsmith_target target);

/** The kind of device a target runs on; the CPU for a value that is no target. */
CONVSMITH_API convsmith_device_kind convsmith_target_device(convsmith_target target);

/** CONVSMITH_OK when `device` exists here and can run code of `target` from this build; otherwise the status, and the
 * detail, that creating a plan there would give. CONVSMITH_INVALID_ARGUMENT, CONVSMITH_UNSUPPORTED_DEVICE,
 * CONVSMITH_CUDA_ERROR. */
CONVSMITH_API convsmith_status convsmith_target_supported(convsmith_target target, convsmith_device device);

/* ---- Tuning records -------------------------------------------------------------------------------------------- */

/** What `convsmith tune` measured on one device: times of the kernels that can serve a problem, at some problem sizes.
 * A plan for such a device then takes the kernel that was the fastest at the size nearest to its own, the outputs of a
 * channel, N * H_out * W_out, being compared; kernels that the record does not know come behind the others. A size with
 * more than four times as many outputs, or fewer than a quarter, is too far to say anything. A record holds times
 * alone: whichever it is, results are right. Those of another driver, another CUDA runtime or another version of this
 * library are used, and kernels that the tables lack are passed over.
 *
 * A table has the times of records that its manifest names (`tuning "path"`), of which plans need not be told: those of
 * the plan's device order the table's kernels by the same rules, and a loaded record comes before them. Where neither
 * says anything, the planner's order holds: on a GPU the kernel that is predicted to be clearly the fastest is first.
 */
typedef struct convsmith_tuning convsmith_tuning;

/** Reads the record of a file. On success *tuning is the caller's to destroy; it is constant, so that any number of
 * threads may create plans by it. On failure it is NULL. CONVSMITH_INVALID_ARGUMENT, CONVSMITH_BAD_RECORD,
 * CONVSMITH_OUT_OF_MEMORY. */
CONVSMITH_API convsmith_status convsmith_tuning_load(convsmith_tuning **tuning, const char *path);

/** Frees a record; NULL is allowed. Plans do not keep it. */
CONVSMITH_API void convsmith_tuning_destroy(convsmith_tuning *tuning);

/* ---- Plans ----------------------------------------------------------------------------------------------------- */

/** Everything a plan depends on; no pointers to data. Zero-initialise it, then set what differs. */
typedef struct convsmith_problem {
    int64_t n;                    /**< samples of x and y; this and the sizes below are 1 or more */
    int64_t c_in;                 /**< channels of x */
    int64_t h;                    /**< rows of x */
    int64_t w;                    /**< columns of x */
    int64_t c_out;                /**< channels of y */
    int64_t kh;                   /**< rows of the kernel */
    int64_t kw;                   /**< columns of the kernel */
    int64_t stride_h;             /**< rows from one output's place in x to the next; 0 is 1 */
    int64_t stride_w;             /**< columns likewise; 0 is 1 */
    int64_t pad_h;                /**< rows of zeros above x, and as many below */
    int64_t pad_w;                /**< columns of zeros on the left of x, and as many on its right */
    int64_t dilation_h;           /**< rows from one tap's place in x to the next; 0 is 1 */
    int64_t dilation_w;           /**< columns likewise; 0 is 1 */
    int64_t conv_groups;          /**< of the convolution, a divisor of c_in and of c_out; 0 is 1 */
    int64_t groups;               /**< of a group_norm step, a divisor of c_out; not read when the epilogue has none */
    float eps;                    /**< of a group_norm or instance_norm step, > 0; likewise */
    convsmith_dtype dtype;        /**< of the elements of x, y and the run's tensors */
    convsmith_math math;          /**< how products of f32 elements may be formed */
    int64_t x_strides[4];         /**< from one n, c, h, w to the next, in elements, 0 or more; all 0: contiguous
                                     NCHW, from which one element expanded over all four cannot be told: copy
                                     that */
    int64_t y_strides[4];         /**< the same; elements of y must not share a place: in order of size, each
                                     stride of an index of more than one place is more than those before it reach
                                     together */
    const char *epilogue;         /**< a chain of steps; read during the call only */
    const convsmith_table *table; /**< searched before the built-in table; NULL: the built-in table alone */
    const convsmith_tuning *tuning; /**< by which the plan chooses among kernels, read during the call only; it
                                       must be of such a device: name, compute capability and multiprocessors are
                                       compared. NULL: the tables' own times, if there are any, or the planner's
                                       order */
    const char *autotune;           /**< a folder, made where it is missing: the first plan of a problem times the
                                       kernels that can serve it, on scratch memory of the device, and keeps the
                                       times there; later ones choose by them, in any process, until the device,
                                       its driver, the CUDA runtime or this library is another, or one of the
                                       kernels is planned otherwise. Not with `tuning`, nor while a stream is
                                       captured. NULL, the default: nothing is timed */
} convsmith_problem;

/** What one step of an epilogue reads, as the table above has it: per-channel values [C_out], the others NULL, and the
 * constants that the epilogue's text does not give, the others 0. */
typedef struct convsmith_step {
    const void *values[4]; /**< per-channel values [C_out], contiguous, of convsmith_params.dtype */
    float constants[2];    /**< finite numbers, in the order of the table */
} convsmith_step;

/** The operator's parameters. Weight and values are float (the default) or, all of them, of the problem's dtype. A
 * problem of 16-bit elements multiplies by weights of its own dtype, to which prepack rounds float ones (to nearest,
 * ties to even); the values are used as they are. */
typedef struct convsmith_params {
    const void *weight;          /**< conv.weight [C_out, C_in / conv_groups, KH, KW] */
    int64_t weight_strides[4];   /**< of its indices, in elements, 0 or more; all 0: contiguous; one element expanded
                                    over all four cannot be told from that, as of x: copy it */
    const convsmith_step *steps; /**< one for each step of the epilogue, in its order; host memory, as this struct is */
    size_t step_count;           /**< the number of the epilogue's steps; 0, with steps NULL, for none */
    convsmith_dtype dtype;       /**< of weight and values: CONVSMITH_F32 or the problem's */
} convsmith_params;

/** The buffers of one run. They must not overlap each other, the packed parameters being read only. */
typedef struct convsmith_args {
    const void *x;                              /**< [N, C_in, H, W] */
    const void *packed;                         /**< as convsmith_plan_prepack filled it */
    void *y;                                    /**< [N, C_out, H_out, W_out], every element is written */
    const void *tensors[CONVSMITH_MAX_TENSORS]; /**< one for each add_tensor step, in order: as y, with y's strides */
} convsmith_args;

/** A kernel with all that running it on one problem and device takes. Immutable; convsmith_plan_create makes it,
 * convsmith_plan_destroy frees it. */
typedef struct convsmith_plan convsmith_plan;

/** The size of y: H_out = (H + 2 pad_h - dilation_h (KH - 1) - 1) / stride_h + 1, rounded down, and W_out likewise.
 * CONVSMITH_INVALID_ARGUMENT where the problem's sizes cannot be; *h_out and *w_out stay as they were then. */
CONVSMITH_API convsmith_status convsmith_output_size(const convsmith_problem *problem, int64_t *h_out, int64_t *w_out);

/** Finds a kernel for the problem on the device and fixes all that running it takes: of the tables' kernels that take
 * the problem and that the device can launch the fastest by measured times, of the tables or by problem.tuning or
 * .autotune, or the first in the planner's order; or else a generic one, for any sizes, parameters, strides and
 * epilogue. That is named generic_<dtype>_<target>, has the strategy "generic", sizes of 0 and the epilogue "*" in its
 * key, and is no row of a table. Slow things happen here and nowhere else. On success *plan is the caller's to
 * destroy; on failure it is NULL.
 * CONVSMITH_INVALID_ARGUMENT, CONVSMITH_UNSUPPORTED_DEVICE, CONVSMITH_TOO_LARGE, CONVSMITH_OUT_OF_MEMORY,
 * CONVSMITH_CUDA_ERROR. */
CONVSMITH_API convsmith_status convsmith_plan_create(convsmith_plan **plan, const convsmith_problem *problem,
                                                     convsmith_device device);

/** Frees a plan; NULL is allowed. No run of it may still be under way on the calling side; work already enqueued on a
 * stream is unaffected. */
CONVSMITH_API void convsmith_plan_destroy(convsmith_plan *plan);

/** The kernel the plan runs, which is the table's or the library's; NULL for a NULL plan. */
CONVSMITH_API const convsmith_kernel *convsmith_plan_kernel(const convsmith_plan *plan);

/** The size of the packed parameters in bytes; 0 for a NULL plan. */
CONVSMITH_API size_t convsmith_plan_packed_size(const convsmith_plan *plan);

/** The size of the workspace that a run needs in bytes, which may be 0; 0 for a NULL plan. The workspace need not be
 * initialised or kept between runs. */
CONVSMITH_API size_t convsmith_plan_workspace_size(const convsmith_plan *plan);

/** Packs the parameters as the plan's kernel reads them into `packed` (convsmith_plan_packed_size bytes, 16-byte
 * aligned). CUDA: weight, values and packed are device memory, the work is enqueued on `stream` (a cudaStream_t; NULL
 * is the default stream). CPU: done on return, `stream` must be NULL. The packed form serves every plan of the same
 * kernel; that of a generic kernel every one of the same weight sizes, conv_groups and epilogue, too.
 * CONVSMITH_INVALID_ARGUMENT, CONVSMITH_TOO_LARGE (weight strides beyond what can be addressed),
 * CONVSMITH_CUDA_ERROR. */
CONVSMITH_API convsmith_status convsmith_plan_prepack(const convsmith_plan *plan, const convsmith_params *params,
                                                      void *packed, void *stream);

/** Runs the operator. `workspace` is convsmith_plan_workspace_size bytes, 16-byte aligned, not shared with a run that
 * may overlap this one. CUDA: enqueued on `stream`; never allocates, never synchronises, may be captured into a graph.
 * CPU: done on return, `stream` must be NULL. Results are bitwise repeatable.
 * CONVSMITH_INVALID_ARGUMENT, CONVSMITH_CUDA_ERROR. */
CONVSMITH_API convsmith_status convsmith_plan_run(const convsmith_plan *plan, const convsmith_args *args,
                                                  void *workspace, void *stream);

#ifdef __cplusplus
}
#endif

#endif
