# SPDX-License-Identifier: Apache-2.0
#
# Of the checkout that the guide works in, what its commands touch.
cp -r "$SOURCE/gen" "$SOURCE/templates" "$SOURCE/src" "$SOURCE/cmake" .
