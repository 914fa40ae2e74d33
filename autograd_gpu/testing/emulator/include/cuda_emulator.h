// What a kernel finds when g++ compiles it instead of NVRTC: included before the kernel's own text.
#pragma once
#include "emulator/language.h"
#include "emulator/numbers.h"
#include "emulator/functions.h"
#include "emulator/warp.h"
#include "emulator/atomics.h"
#include "emulator/export.h"
