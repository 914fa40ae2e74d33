// How a compiled library offers a kernel: a launch function and the types of its parameters.
#pragma once
#include <cstdio>
#include <type_traits>
#include <utility>

struct __half;
struct __nv_bfloat16;

namespace emulator {

struct Config;
int run(const Config* config, void (*kernel)(void*), void* call);

// NumPy's name of a type, "const " and "*" for pointers, "struct:<bytes>" for anything else.
template <class T> int describe(char* at, size_t room) {
  typedef std::remove_cv_t<T> U;
  if constexpr (std::is_pointer_v<U>) {
    typedef std::remove_pointer_t<U> Item;
    int n = std::is_const_v<Item> ? snprintf(at, room, "const ") : 0;
    n += describe<Item>(at + n, room - n);
    return n + snprintf(at + n, room - n, "*");
  } else if constexpr (std::is_void_v<U>) return snprintf(at, room, "void");
  else if constexpr (std::is_same_v<U, bool>) return snprintf(at, room, "bool");
  else if constexpr (std::is_same_v<U, __half>) return snprintf(at, room, "float16");
  else if constexpr (std::is_same_v<U, __nv_bfloat16>) return snprintf(at, room, "bfloat16");
  else if constexpr (std::is_floating_point_v<U>)
    return snprintf(at, room, "float%zu", 8 * sizeof(U));
  else if constexpr (std::is_integral_v<U>)
    return snprintf(at, room, "%sint%zu", std::is_signed_v<U> ? "" : "u", 8 * sizeof(U));
  else return snprintf(at, room, "struct:%zu", sizeof(U));
}

template <class... P> const char* signature(void (*)(P...)) {
  static char text[2048];
  char* at = text;
  char* end = text + sizeof text - 64;
  auto add = [&](int n) { at += n; *at++ = ','; *at = 0; };
  if (!text[0]) (add(describe<P>(at, end - at)), ...);
  return text;
}

template <class... P> struct Call {
  void (*kernel)(P...);
  void** arguments;
};

template <class... P, size_t... I>
EMULATOR_UNCHECKED void apply(Call<P...>* call, std::index_sequence<I...>) {
  call->kernel(*reinterpret_cast<std::remove_cv_t<P>*>(call->arguments[I])...);
}

template <class... P> EMULATOR_UNCHECKED void enter(void* call) {
  apply(static_cast<Call<P...>*>(call), std::index_sequence_for<P...>{});
}

template <class... P>
EMULATOR_UNCHECKED int launch(void (*kernel)(P...), const Config* config, void** arguments) {
  Call<P...> call{kernel, arguments};
  return run(config, enter<P...>, &call);
}

}  // namespace emulator

#define EMULATOR_EXPORT(id, ...)                                                              \
  extern "C" EMULATOR_EXPORTED int emulator_launch_##id(const emulator::Config* c, void** a) { \
    return emulator::launch(&__VA_ARGS__, c, a);                                               \
  }                                                                                            \
  extern "C" EMULATOR_EXPORTED const char* emulator_signature_##id() {                         \
    return emulator::signature(&__VA_ARGS__);                                                  \
  }
