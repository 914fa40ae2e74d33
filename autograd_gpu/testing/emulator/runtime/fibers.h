// Fibers: one stack for each thread of a block, and the switch between them.
#pragma once
#include "runtime.h"

namespace emulator {

void reset_stacks();                     // before a launch: none is in use
void prepare(Fiber& fiber, int number);  // at the beginning of the kernel
void select(Fiber& fiber);               // whose threadIdx is seen, and named in errors
void resume(Fiber& fiber);               // returns when the fiber pauses
void pause();                            // called on a fiber's own stack

}  // namespace emulator
