/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations that epilogues of the generic kernels are made of, as a table: X(CODE, what v becomes), p and q being
 * the channel's operands. What expands it includes device/steps.h first, for CPU or CUDA code.
 */
#ifndef CONVSMITH_DEVICE_GENERIC_STEPS_H
#define CONVSMITH_DEVICE_GENERIC_STEPS_H

/* -log2(e) */
#define CS_MINUS_LOG2_E (-1.44269504088896341f)

#define CS_POINTWISE_OPERATIONS(X)                                                                                     \
    X(CS_OP_ADD, v + p)                                                                                                \
    X(CS_OP_SUBTRACT, v - p)                                                                                           \
    X(CS_OP_MULTIPLY, v *p)                                                                                            \
    X(CS_OP_DIVIDE, v / p)                                                                                             \
    X(CS_OP_MULTIPLY_ADD, v *p + q)                                                                                    \
    X(CS_OP_MIN, step_min_const(v, p))                                                                                 \
    X(CS_OP_MAX, step_max_const(v, p))                                                                                 \
    X(CS_OP_CLAMP, step_clamp(v, p, q))                                                                                \
    X(CS_OP_RELU, step_relu(v))                                                                                        \
    X(CS_OP_LEAKY_RELU, step_leaky_relu(v, p))                                                                         \
    X(CS_OP_SIGMOID, reciprocal_approx(1.0f + exp2_approx(v * CS_MINUS_LOG2_E)))                                       \
    X(CS_OP_TANH, step_tanh(v))                                                                                        \
    X(CS_OP_SILU, step_silu(v))                                                                                        \
    X(CS_OP_MISH, step_mish(v))                                                                                        \
    X(CS_OP_HARDSWISH, step_hardswish(v))                                                                              \
    X(CS_OP_HARDSIGMOID, step_hardsigmoid(v))                                                                          \
    X(CS_OP_SOFTPLUS, step_softplus(v))                                                                                \
    X(CS_OP_GELU, step_gelu(v))                                                                                        \
    X(CS_OP_GELU_TANH, step_gelu_tanh(v))                                                                              \
    X(CS_OP_ELU, step_elu(v, p))                                                                                       \
    X(CS_OP_SQUARE, step_square(v))                                                                                    \
    X(CS_OP_ABS, step_abs(v))

#define CS_OPCODE(CODE, VALUE) CODE,
typedef enum cs_opcode {
    CS_POINTWISE_OPERATIONS(CS_OPCODE) CS_OP_NORMALISE, /* v * a + b, by the statistics */
    CS_OP_ADD_TENSOR,                                   /* v + an element of a tensor like y */
    CS_OP_MULTIPLY_BY,                                  /* v * what an earlier operation received */
} cs_opcode;
#undef CS_OPCODE

#endif
