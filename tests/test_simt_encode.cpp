// SPDX-License-Identifier: Apache-2.0
//
// The stand-in for the driver's description of tensors refuses what the driver refuses.
#include "test_simt.h"

#include <cuda.h>

using namespace test_simt;

namespace {

constexpr cuuint64_t kGiB = cuuint64_t{1} << 30;

// What the driver is asked for. Changed in one point, it is refused.
struct Request {
    CUtensorMap map = {};
    std::uintptr_t elements = 4096;
    CUtensorMapDataType type = CU_TENSOR_MAP_DATA_TYPE_UINT16;
    cuuint32_t indices = 4;
    cuuint64_t sizes[4] = {72, 10, 6, 2}, strides[3] = {144, 1440, 8640};
    cuuint32_t box[4] = {32, 4, 3, 1}, steps[4] = {1, 1, 1, 1};
    CUtensorMapInterleave interleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
    CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_64B;
    CUtensorMapFloatOOBfill fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
};

CUresult ask(Request &r, CUtensorMap *map) {
    CUresult (*encode)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *, const cuuint64_t *,
                       const cuuint32_t *, const cuuint32_t *, CUtensorMapInterleave, CUtensorMapSwizzle,
                       CUtensorMapL2promotion, CUtensorMapFloatOOBfill);
    cs_tensor_driver driver;
    assert_int_equal(cs_find_tensor_driver(&driver), cudaSuccess);
    std::memcpy(&encode, &driver.encode, sizeof encode);
    return encode(map, r.type, r.indices, reinterpret_cast<void *>(r.elements), r.sizes, r.strides, r.box, r.steps,
                  r.interleave, r.swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, r.fill);
}

struct Point {
    const char *name;
    void (*change)(Request &r);
    CUresult result;
};

const Point kPoints[] = {
    {"a_box_of_a_tensor_is_taken", [](Request &) {}, CUDA_SUCCESS},
    {"a_box_of_256_columns_is_taken", [](Request &r) { r.box[1] = 256; }, CUDA_SUCCESS},
    {"rows_shorter_than_their_swizzle_are_taken", [](Request &r) { r.box[0] = 8; }, CUDA_SUCCESS},
    {"floats_are_taken", [](Request &r) { r.type = CU_TENSOR_MAP_DATA_TYPE_FLOAT32, r.box[0] = 16, r.sizes[0] = 36; },
     CUDA_SUCCESS},
    {"lines_may_lie_apart", [](Request &r) { r.strides[0] = 160, r.strides[1] = 1600, r.strides[2] = 9600; },
     CUDA_SUCCESS},
    {"a_misaligned_address_is_refused", [](Request &r) { r.elements += 8; }, CUDA_ERROR_INVALID_VALUE},
    {"no_address_is_refused", [](Request &r) { r.elements = 0; }, CUDA_ERROR_INVALID_VALUE},
    {"a_misaligned_stride_is_refused", [](Request &r) { r.strides[1] = 1448; }, CUDA_ERROR_INVALID_VALUE},
    {"lines_may_overlap", [](Request &r) { r.strides[1] = 1424; }, CUDA_SUCCESS},
    {"a_stride_of_0_is_refused", [](Request &r) { r.strides[2] = 0; }, CUDA_ERROR_INVALID_VALUE},
    {"a_stride_of_2_to_the_40_is_refused", [](Request &r) { r.strides[2] = 1024 * kGiB; }, CUDA_ERROR_INVALID_VALUE},
    {"a_size_of_0_is_refused", [](Request &r) { r.sizes[3] = 0; }, CUDA_ERROR_INVALID_VALUE},
    {"a_size_beyond_2_to_the_32_is_refused", [](Request &r) { r.sizes[3] = 4 * kGiB + 1; }, CUDA_ERROR_INVALID_VALUE},
    {"a_box_of_0_is_refused", [](Request &r) { r.box[2] = 0; }, CUDA_ERROR_INVALID_VALUE},
    {"a_box_of_257_is_refused", [](Request &r) { r.box[2] = 257; }, CUDA_ERROR_INVALID_VALUE},
    {"rows_longer_than_their_swizzle_are_refused", [](Request &r) { r.box[0] = 40; }, CUDA_ERROR_INVALID_VALUE},
    {"rows_of_no_multiple_of_16_bytes_are_refused", [](Request &r) { r.box[0] = 12; }, CUDA_ERROR_INVALID_VALUE},
    {"every_eighth_column_is_taken", [](Request &r) { r.steps[1] = 8; }, CUDA_SUCCESS},
    {"every_ninth_column_is_refused", [](Request &r) { r.steps[1] = 9; }, CUDA_ERROR_INVALID_VALUE},
    {"a_step_of_0_is_refused", [](Request &r) { r.steps[2] = 0; }, CUDA_ERROR_INVALID_VALUE},
    {"every_other_element_of_a_row_is_refused", [](Request &r) { r.steps[0] = 2; }, CUDA_ERROR_INVALID_VALUE},
    {"three_indices_are_refused", [](Request &r) { r.indices = 3; }, CUDA_ERROR_INVALID_VALUE},
    {"other_elements_are_refused", [](Request &r) { r.type = static_cast<CUtensorMapDataType>(0); },
     CUDA_ERROR_INVALID_VALUE},
    {"other_swizzles_are_refused", [](Request &r) { r.swizzle = static_cast<CUtensorMapSwizzle>(4); },
     CUDA_ERROR_INVALID_VALUE},
    {"interleaved_elements_are_refused", [](Request &r) { r.interleave = static_cast<CUtensorMapInterleave>(1); },
     CUDA_ERROR_INVALID_VALUE},
    {"another_value_outside_is_refused", [](Request &r) { r.fill = static_cast<CUtensorMapFloatOOBfill>(1); },
     CUDA_ERROR_INVALID_VALUE},
};

void has_its_result(void **state) {
    const Point &point = *static_cast<const Point *>(*state);
    Request request;
    point.change(request);
    assert_int_equal(ask(request, &request.map), point.result);
}

void a_misaligned_map_is_refused(void **) {
    Request request;
    alignas(64) unsigned char place[192];
    assert_int_equal(ask(request, reinterpret_cast<CUtensorMap *>(place + 16)), CUDA_ERROR_INVALID_VALUE);
}

void only_maps_move_and_only_to_multiples_of_16_bytes(void **) {
    Request request;
    cs_tensor_driver driver;
    cs_tensor_map map = {};
    const auto move_to = [&](std::uintptr_t place) {
        return cs_move_tensor(&driver, &map, reinterpret_cast<const void *>(place));
    };
    assert_int_equal(cs_find_tensor_driver(&driver), cudaSuccess);
    assert_int_equal(move_to(4096), cudaErrorInvalidValue);
    assert_int_equal(ask(request, &request.map), CUDA_SUCCESS);
    std::memcpy(&map, &request.map, sizeof map);
    assert_int_equal(move_to(8192), cudaSuccess);
    assert_int_equal(move_to(8200), cudaErrorInvalidValue);
    assert_int_equal(move_to(0), cudaErrorInvalidValue);
    request.elements = 8192;
    assert_int_equal(ask(request, &request.map), CUDA_SUCCESS);
    assert_memory_equal(&map, &request.map, sizeof map);
}

cudaDriverEntryPointQueryResult find(const char *symbol, unsigned version) {
    void *function = nullptr;
    cudaDriverEntryPointQueryResult found;
    assert_int_equal(cudaGetDriverEntryPointByVersion(symbol, &function, version, cudaEnableDefault, &found),
                     cudaSuccess);
    assert_true((function != nullptr) == (found == cudaDriverEntryPointSuccess));
    return found;
}

void functions_are_found_by_their_name_and_version(void **) {
    assert_int_equal(find("cuTensorMapEncodeTiled", 12000), cudaDriverEntryPointSuccess);
    assert_int_equal(find("cuTensorMapReplaceAddress", 12000), cudaDriverEntryPointSuccess);
    assert_int_equal(find("cuTensorMapEncodeTiled", 11080), cudaDriverEntryPointVersionNotSufficent);
    assert_int_equal(find("cuTensorMapEncodeIm2col", 12000), cudaDriverEntryPointSymbolNotFound);
}

} // namespace

int main() {
    constexpr std::size_t points = sizeof kPoints / sizeof *kPoints;
    CMUnitTest tests[points + 3] = {
        cmocka_unit_test(a_misaligned_map_is_refused),
        cmocka_unit_test(functions_are_found_by_their_name_and_version),
        cmocka_unit_test(only_maps_move_and_only_to_multiples_of_16_bytes),
    };
    for (std::size_t i = 0; i < points; ++i) {
        tests[i + 3] = {kPoints[i].name, has_its_result, nullptr, nullptr, const_cast<Point *>(&kPoints[i])};
    }
    return cmocka_run_group_tests_name("simt_encode", tests, nullptr, nullptr);
}
