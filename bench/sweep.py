# SPDX-License-Identifier: Apache-2.0
"""The sweep's rows, as data: layers of many sizes, chains, precisions and layouts."""

from workloads import Workload

F32, TF32, F16, BF16 = ("f32", "fp32"), ("f32", "tf32"), ("f16", "fp32"), ("bf16", "fp32")
LAST = "channels_last"
SIGMOID_NORM = "bias+sigmoid+group_norm"
BN_RELU = "batch_norm(1e-5)+relu"


def row(name, precision, n, c_in, size, c_out, kernel, chain, **parameters):
    return Workload(name, n, c_in, size, c_out, kernel, chain=chain, precision=precision, **parameters)


SWEEP = [
    # Few channels: their tensors' way through memory takes the longest.
    row("gray-512", F32, 8, 1, 512, 16, 5, "bias+leaky_relu(0.1)", padding=2),
    row("gray-512-norm", TF32, 8, 1, 512, 16, 5, SIGMOID_NORM, groups=8),
    row("rgb-512", BF16, 16, 3, 512, 16, 3, "bias+hardswish", padding=1),
    row("rgb-224", F16, 64, 3, 224, 32, 3, "bias+silu+group_norm", groups=8, padding=1),
    row("stem-224", F16, 32, 3, 224, 64, 7, BN_RELU, stride=2, padding=3),
    row("stem-224-tf32", TF32, 32, 3, 224, 64, 7, BN_RELU, stride=2, padding=3),
    row("seed-fp32", F32, 128, 8, 256, 32, 3, "bias+add_channel+mul_channel+sigmoid+group_norm", groups=8),
    row("seed-tf32", TF32, 128, 8, 256, 32, 3, "bias+add_channel+mul_channel+sigmoid+group_norm", groups=8),
    row("seed-f16", F16, 128, 8, 256, 32, 3, "bias+add_channel+mul_channel+sigmoid+group_norm", groups=8),
    row("seed-bf16", BF16, 128, 8, 256, 32, 3, "bias+add_channel+mul_channel+sigmoid+group_norm", groups=8),
    row("small-14", F32, 256, 16, 14, 32, 3, "bias+gelu", padding=1),
    # In the middle.
    row("mid-128", TF32, 32, 16, 128, 64, 3, SIGMOID_NORM, groups=8),
    row("mid-64", F32, 32, 32, 64, 64, 3, "bias+relu", padding=1),
    row("mid-64-mish", F16, 64, 32, 64, 64, 3, "bias+mish+group_norm", groups=8, padding=1),
    row("point-128", F32, 32, 32, 128, 64, 1, "bias+mish"),
    row("dilated-64", F16, 32, 48, 64, 48, 3, "bias+elu(1)", padding=2, dilation=2),
    row("depthwise-56", F16, 64, 128, 56, 128, 3, "bias+silu", padding=1, conv_groups=128),
    row("depthwise-last", F16, 64, 128, 56, 128, 3, "bias+silu", padding=1, conv_groups=128, layout=LAST),
    row("grouped-56", BF16, 32, 64, 56, 64, 3, BN_RELU, padding=1, conv_groups=4),
    # Many channels: arithmetic takes the longest.
    row("deep-112", F16, 32, 64, 112, 64, 3, SIGMOID_NORM, groups=8, padding=1),
    row("deep-112-tf32", TF32, 32, 64, 112, 64, 3, SIGMOID_NORM, groups=8, padding=1),
    row("deep-56", BF16, 64, 64, 56, 128, 3, "bias+silu", padding=1),
    row("deep-56-last", BF16, 64, 64, 56, 128, 3, "bias+silu", padding=1, layout=LAST),
    row("deep-28", TF32, 64, 128, 28, 128, 3, BN_RELU, padding=1),
    row("deep-14", F16, 128, 256, 14, 256, 3, BN_RELU, padding=1),
    row("deep-14-alone", F16, 1, 256, 14, 256, 3, BN_RELU, padding=1),
    row("deep-56-norm", F16, 32, 256, 56, 256, 3, SIGMOID_NORM, groups=8, padding=1),
    row("down-56", BF16, 32, 128, 56, 256, 3, BN_RELU, stride=2, padding=1),
    row("point-56", F16, 32, 256, 56, 64, 1, BN_RELU),
    row("point-56-last", F16, 32, 64, 56, 256, 1, BN_RELU, layout=LAST),
]
