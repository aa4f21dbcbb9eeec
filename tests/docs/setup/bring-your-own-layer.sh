# SPDX-License-Identifier: Apache-2.0
#
# What the guide's Python writes, of zeros, for where there is no PyTorch; and a profile.

# big-endian digits of a number below 65536, as 8 bytes, the least first.
bytes8() { printf "\\x$(printf %02x $(($1 % 256)))\\x$(printf %02x $(($1 / 256)))\0\0\0\0\0\0"; }

# npy and safetensors have a header of text, then values.
shape="{'descr': '<f4', 'fortran_order': False, 'shape': (2, 12, 56, 56), }"
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$shape" && head -c $((4 * 2 * 12 * 56 * 56)) /dev/zero; } >x.npy

header= end=0
for tensor in conv.weight:24,12,3,3 batch_norm.{weight,bias,running_mean,running_var}:24; do
    sizes=${tensor#*:}
    begin=$end end=$((end + 4 * ${sizes//,/ *}))
    header+="${header:+,}\"${tensor%:*}\":{\"dtype\":\"F32\",\"shape\":[$sizes],\"data_offsets\":[$begin,$end]}"
done
{ bytes8 $((${#header} + 2)) && printf '{%s}' "$header" && head -c "$end" /dev/zero; } >layer.safetensors
mkdir project
cp "$SOURCE/tests/data/advise/h200.csv" project/profile.csv
