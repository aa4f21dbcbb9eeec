# SPDX-License-Identifier: Apache-2.0
#
# The files that the commands in README.md read: x and a residual of zeros, a layer's parameters, a profile.

# npy <file> <N, C, H, W>: zeros in fp32, behind the header of an .npy file of version 1.0.
npy() {
    local header="{'descr': '<f4', 'fortran_order': False, 'shape': ($2), }" values=$((4 * ${2//,/ *}))
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header" >"$1"
    head -c "$values" /dev/zero >>"$1"
}

npy x.npy '1, 3, 32, 32'
npy nhwc.npy '1, 32, 32, 3'
npy residual.npy '1, 16, 30, 30'
cp "$SOURCE/examples/edges.safetensors" model.safetensors
cp "$SOURCE/tests/data/advise/h200.csv" profile.csv
