// SPDX-License-Identifier: Apache-2.0
//
// Turns a kernel's segmentation fault into a message that says which memory was missed and by how much.
#ifndef CONVSMITH_SIMT_FAULT_H
#define CONVSMITH_SIMT_FAULT_H

#include <memory>
#include <signal.h>

namespace simt {

// While one lives, faults of kernels on this CPU thread are explained; others go where they went before.
class FaultHandler {
  public:
    FaultHandler();
    ~FaultHandler();
    FaultHandler(const FaultHandler &) = delete;
    FaultHandler &operator=(const FaultHandler &) = delete;

  private:
    std::unique_ptr<unsigned char[]> stack_;
    stack_t previous_ = {};
};

} // namespace simt

#endif
