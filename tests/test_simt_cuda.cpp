// SPDX-License-Identifier: Apache-2.0
//
// The stand-in for the CUDA runtime refuses what a real one refuses.
#include "test_simt.h"

#include <cmath>
#include <cstdlib>

using namespace test_simt;

namespace {

void nothing(const cs_conv_args) {}

struct Limits {
    unsigned grid, block;
    std::size_t shared;
    cudaError_t error;
};

void launches_are_held_to_the_limits_of_a_device(void **) {
    static const Limits table[] = {
        {1, 1, 0, cudaSuccess},
        {1, 1024, 48 * 1024, cudaSuccess},
        {0, 32, 0, cudaErrorInvalidConfiguration},
        {0x80000000u, 32, 0, cudaErrorInvalidConfiguration},
        {1, 0, 0, cudaErrorInvalidConfiguration},
        {1, 1025, 0, cudaErrorInvalidConfiguration},
        {1, 32, 48 * 1024 + 1, cudaErrorInvalidValue},
    };
    const cs_conv_args args = {};
    for (const Limits &row : table) {
        assert_int_equal(cs_launch_conv(nothing, &args, row.grid, row.block, row.shared, nullptr), row.error);
        assert_int_equal(cudaGetLastError(), row.error);
    }
}

void large(const cs_conv_args) {}

void a_prepared_kernel_may_use_more_shared_memory(void **) {
    const cs_conv_args args = {};
    assert_int_equal(cs_prepare_conv(large, 100000), cudaSuccess);
    assert_int_equal(cs_launch_conv(large, &args, 1, 32, 100000, nullptr), cudaSuccess);
    assert_int_equal(cs_launch_conv(large, &args, 1, 32, 100001, nullptr), cudaErrorInvalidValue);
    assert_int_equal(cs_prepare_conv(large, 232449), cudaErrorInvalidValue);
    cudaGetLastError();
}

void a_null_kernel_is_refused(void **) {
    const cs_conv_args args = {};
    assert_int_equal(cs_prepare_conv(nullptr, 0), cudaErrorInvalidDeviceFunction);
    assert_int_equal(cs_launch_conv(nullptr, &args, 1, 32, 0, nullptr), cudaErrorInvalidDeviceFunction);
    cudaGetLastError();
}

void pack(const cs_pack_args args) { static_cast<float *>(args.packed)[thread_index()] = 3.0f; }

void pack_kernels_are_launched_with_their_arguments(void **) {
    cs_pack_args args = {};
    args.packed = device_alloc(32 * sizeof(float));
    assert_int_equal(cs_launch_pack(pack, &args, 1, 32, 0, nullptr), cudaSuccess);
    float y[32];
    fetch_and_free(y, args.packed, sizeof y);
    for (float value : y) {
        assert_true(value == 3.0f);
    }
}

int forget_environment(void **) {
    unsetenv("CONVSMITH_SIMT_DEVICES");
    unsetenv("CONVSMITH_SIMT_SM");
    unsetenv("CONVSMITH_SIMT_SHARED");
    cudaGetLastError();
    return 0;
}

void an_old_device_has_no_code(void **) {
    setenv("CONVSMITH_SIMT_SM", "75", 1);
    int minor = 0;
    assert_int_equal(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0), cudaSuccess);
    assert_int_equal(minor, 5);
    assert_int_equal(cs_prepare_conv(nothing, 0), cudaErrorNoKernelImageForDevice);
}

void a_machine_without_devices_says_so(void **) {
    setenv("CONVSMITH_SIMT_DEVICES", "0", 1);
    int count = -1;
    void *address;
    assert_int_equal(cudaGetDeviceCount(&count), cudaErrorNoDevice);
    assert_int_equal(count, 0);
    assert_int_equal(cudaMalloc(&address, 16), cudaErrorNoDevice);
}

void a_device_that_is_not_there_is_refused(void **) {
    assert_int_equal(cudaSetDevice(1), cudaErrorInvalidDevice);
    setenv("CONVSMITH_SIMT_DEVICES", "2", 1);
    assert_int_equal(cudaSetDevice(1), cudaSuccess);
    assert_int_equal(cudaSetDevice(0), cudaSuccess);
}

void a_device_has_a_name(void **) {
    cudaDeviceProp properties;
    assert_int_equal(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
    assert_string_equal(properties.name, "emulated GPU");
    assert_int_equal(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
}

void a_kernel_cannot_ask_for_more_shared_memory_than_the_device_has(void **) {
    setenv("CONVSMITH_SIMT_SHARED", "60000", 1);
    assert_int_equal(cs_prepare_conv(nothing, 60000), cudaSuccess);
    assert_int_equal(cs_prepare_conv(nothing, 60001), cudaErrorInvalidValue);
}

void fresh_memory_is_nan_and_aligned(void **) {
    for (std::size_t floats = 1; floats < 3000; floats += 57) {
        static float y[3000];
        void *const address = device_alloc(floats * sizeof(float));
        assert_int_equal(reinterpret_cast<std::uintptr_t>(address) % 16, 0);
        fetch_and_free(y, address, floats * sizeof(float));
        for (std::size_t i = 0; i < floats; ++i) {
            assert_true(std::isnan(y[i]));
        }
    }
}

void copies_in_the_wrong_direction_are_refused(void **) {
    float host[4] = {};
    void *const device = device_alloc(sizeof host);
    assert_int_equal(cudaMemcpy(host, device, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpy(device, host, sizeof host, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpy(host, device, sizeof host, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpy(host, device, sizeof host, cudaMemcpyDefault), cudaSuccess);
    assert_int_equal(cudaFree(device), cudaSuccess);
    cudaGetLastError();
}

void copies_beyond_an_allocation_are_refused(void **) {
    float host[5] = {};
    void *const device = device_alloc(16);
    assert_int_equal(cudaMemcpy(device, host, 20, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    assert_int_equal(cudaMemset(device, 0, 17), cudaErrorInvalidValue);
    assert_int_equal(cudaFree(device), cudaSuccess);
    cudaGetLastError();
}

void memory_that_is_not_there_is_refused(void **) {
    void *address = &address;
    assert_int_equal(cudaMalloc(&address, std::size_t{1} << 50), cudaErrorMemoryAllocation);
    assert_null(address);
    assert_int_equal(cudaPeekAtLastError(), cudaErrorMemoryAllocation);
    cudaGetLastError();
}

void only_what_was_allocated_can_be_freed_and_once(void **) {
    void *const device = device_alloc(64);
    assert_int_equal(cudaFree(static_cast<char *>(device) + 16), cudaErrorInvalidValue);
    assert_int_equal(cudaFree(device), cudaSuccess);
    assert_int_equal(cudaFree(device), cudaErrorInvalidValue);
    assert_int_equal(cudaFree(nullptr), cudaSuccess);
    cudaGetLastError();
}

void a_destroyed_stream_is_refused(void **) {
    const cs_conv_args args = {};
    cudaStream_t stream;
    assert_int_equal(cudaStreamCreate(&stream), cudaSuccess);
    assert_int_equal(cs_launch_conv(nothing, &args, 1, 32, 0, stream), cudaSuccess);
    assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
    assert_int_equal(cs_launch_conv(nothing, &args, 1, 32, 0, stream), cudaErrorInvalidResourceHandle);
    assert_int_equal(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
    cudaGetLastError();
}

float first_of(const void *values) {
    float first = -1.0f;
    assert_int_equal(cudaMemcpy(&first, values, sizeof first, cudaMemcpyDeviceToHost), cudaSuccess);
    return first;
}

void a_captured_launch_runs_when_its_graph_is_launched(void **) {
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    cs_pack_args args = {};
    args.packed = device_alloc(32 * sizeof(float));
    assert_int_equal(cudaStreamCreate(&stream), cudaSuccess);
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    assert_int_equal(cs_launch_pack(pack, &args, 1, 32, 0, stream), cudaSuccess);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_int_equal(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(cudaMemset(args.packed, 0, 32 * sizeof(float)), cudaSuccess);
        assert_true(first_of(args.packed) == 0.0f);
        assert_int_equal(cudaGraphLaunch(executable, stream), cudaSuccess);
        assert_true(first_of(args.packed) == 3.0f);
    }
    assert_int_equal(cudaGraphExecDestroy(executable), cudaSuccess);
    assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
    cudaFree(args.packed);
}

void nothing_is_allocated_or_waited_for_while_a_stream_is_captured(void **) {
    cudaStream_t stream;
    cudaGraph_t graph;
    void *block;
    const cs_conv_args args = {};
    assert_int_equal(cudaStreamCreate(&stream), cudaSuccess);
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    assert_int_equal(cudaMalloc(&block, 16), cudaErrorStreamCaptureUnsupported);
    assert_int_equal(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    assert_int_equal(cudaDeviceSynchronize(), cudaErrorStreamCaptureUnsupported);
    assert_int_equal(cs_launch_conv(nothing, &args, 1, 32, 0, nullptr), cudaErrorStreamCaptureUnsupported);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);
    assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
    assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
    cudaGetLastError();
}

void events_measure_only_what_was_recorded(void **) {
    cudaEvent_t start, end;
    float milliseconds = -1.0f;
    assert_int_equal(cudaEventCreate(&start), cudaSuccess);
    assert_int_equal(cudaEventCreate(&end), cudaSuccess);
    assert_int_equal(cudaEventRecord(start, nullptr), cudaSuccess);
    assert_int_equal(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
    assert_int_equal(cudaEventRecord(end, nullptr), cudaSuccess);
    assert_int_equal(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
    assert_true(milliseconds >= 0.0f);
    assert_int_equal(cudaEventDestroy(start), cudaSuccess);
    assert_int_equal(cudaEventDestroy(end), cudaSuccess);
    cudaGetLastError();
}

} // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(launches_are_held_to_the_limits_of_a_device),
        cmocka_unit_test(a_prepared_kernel_may_use_more_shared_memory),
        cmocka_unit_test(a_null_kernel_is_refused),
        cmocka_unit_test(pack_kernels_are_launched_with_their_arguments),
        cmocka_unit_test_teardown(an_old_device_has_no_code, forget_environment),
        cmocka_unit_test_teardown(a_machine_without_devices_says_so, forget_environment),
        cmocka_unit_test_teardown(a_device_that_is_not_there_is_refused, forget_environment),
        cmocka_unit_test_teardown(a_device_has_a_name, forget_environment),
        cmocka_unit_test_teardown(a_kernel_cannot_ask_for_more_shared_memory_than_the_device_has, forget_environment),
        cmocka_unit_test(fresh_memory_is_nan_and_aligned),
        cmocka_unit_test(copies_in_the_wrong_direction_are_refused),
        cmocka_unit_test(copies_beyond_an_allocation_are_refused),
        cmocka_unit_test(memory_that_is_not_there_is_refused),
        cmocka_unit_test(only_what_was_allocated_can_be_freed_and_once),
        cmocka_unit_test(a_destroyed_stream_is_refused),
        cmocka_unit_test(a_captured_launch_runs_when_its_graph_is_launched),
        cmocka_unit_test(nothing_is_allocated_or_waited_for_while_a_stream_is_captured),
        cmocka_unit_test(events_measure_only_what_was_recorded),
    };
    return cmocka_run_group_tests_name("simt_cuda", tests, nullptr, nullptr);
}
