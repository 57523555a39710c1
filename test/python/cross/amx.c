/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Intel's AMX (amx-tile, amx-bf16, amx-int8) on x86-64 machines that lack it: linked into
 * a program, this takes the SIGILL of each such instruction, does what the instruction
 * does to the tiles of its thread, and goes on behind it. Where the CPU has AMX, it only
 * asks Linux for leave to use it, and the instructions run as they are.
 *
 * What Intel's manual (SDM, volume 2, and AMX-E1 to E6 of chapter 2.10) refuses, #GP or
 * #UD, ends the program with a message. Stricter than that: a configuration with a start
 * row, which is for resuming an instruction that faulted, is refused too.
 *
 * Where TILEWRIGHT_AMX_LOG names a file, the program appends a line to it when it ends:
 * how many instructions were emulated and how many of them were products, or "native".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <immintrin.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#pragma GCC target("avx2,fma") /* as all CPUs have that are to run as if with AMX */

enum { TILES = 8, ROWS = 16, COLSB = 64 }; /* of palette 1 */

/* The memory operand of ldtilecfg; palette 0 is the initial state, all of it zero. */
struct config {
  uint8_t palette, start_row, reserved[14];
  uint16_t colsb[16]; /* bytes of a row */
  uint8_t rows[16];
};
_Static_assert(sizeof(struct config) == 64, "as ldtilecfg reads it");

typedef uint8_t tile[ROWS][COLSB];

static __thread struct {
  struct config config;
  tile tiles[TILES];
} state;

struct instruction;

struct opcode {
  uint8_t byte;   /* in the map 0F38 */
  uint8_t prefix; /* the field pp of VEX */
  enum { NOTHING, TILE, MEMORY, TILE_AND_ROWS, PRODUCT } operands;
  const char *name;
  void (*run)(const struct instruction *);
};

struct instruction {
  const struct opcode *opcode;
  int reg, rm, vvvv; /* register numbers: ModRM's, with VEX's bits, and VEX's own */
  uint64_t address;  /* of the memory operand; of TILE_AND_ROWS that of the first row */
  uint64_t stride;   /* the scaled index, between rows */
  const uint8_t *end;
};

static unsigned long instructions, products;
static bool native;

/*===--- Refusals ------------------------------------------------------------------===*/

#define refuse(instruction, ...)                                                         \
  do {                                                                                   \
    dprintf(STDERR_FILENO, "amx: %s: ", (instruction)->opcode->name);                    \
    dprintf(STDERR_FILENO, __VA_ARGS__);                                                 \
    dprintf(STDERR_FILENO, "\n");                                                        \
    abort();                                                                             \
  } while (0)

/* A tile operand, which has to be in use. */
static uint8_t (*tile_of(const struct instruction *i, int number)) [COLSB] {
  if (!state.config.palette)
    refuse(i, "#UD: no tiles are configured");
  if (!state.config.rows[number])
    refuse(i, "#UD: tmm%d is not in use", number);
  if (state.config.colsb[number] % 4)
    refuse(i, "#UD: rows of tmm%d have %d bytes, no multiple of 4", number,
           state.config.colsb[number]);
  return state.tiles[number];
}

/*===--- Configuration -------------------------------------------------------------===*/

static bool is_zero(const uint8_t *bytes, size_t count) {
  for (size_t b = 0; b < count; ++b)
    if (bytes[b])
      return false;
  return true;
}

static void load_config(const struct instruction *i) {
  struct config new;
  memcpy(&new, (void *)i->address, sizeof(new));
  if (new.palette > 1)
    refuse(i, "#GP: there is no palette %d", new.palette);
  if (new.palette) {
    if (new.start_row)
      refuse(i, "start row %d: not emulated", new.start_row);
    if (!is_zero(new.reserved, sizeof(new.reserved)) ||
        !is_zero((const uint8_t *)&new.colsb[TILES], TILES * sizeof(*new.colsb)) ||
        !is_zero(&new.rows[TILES], TILES))
      refuse(i, "#GP: reserved bytes are not zero");
    for (int t = 0; t < TILES; ++t) {
      if (new.rows[t] > ROWS || new.colsb[t] > COLSB)
        refuse(i, "#GP: tmm%d of %d rows of %d bytes is larger than %d of %d", t,
               new.rows[t], new.colsb[t], ROWS, COLSB);
      if (!new.rows[t] != !new.colsb[t])
        refuse(i, "#GP: tmm%d has %d rows of %d bytes", t, new.rows[t], new.colsb[t]);
    }
  }
  memset(&state, 0, sizeof(state));
  if (new.palette)
    state.config = new;
}

static void store_config(const struct instruction *i) {
  memcpy((void *)i->address, &state.config, sizeof(state.config));
}

static void release(const struct instruction *i) {
  (void)i;
  memset(&state, 0, sizeof(state));
}

/*===--- Tiles and memory ----------------------------------------------------------===*/

static void zero(const struct instruction *i) {
  memset(tile_of(i, i->reg), 0, sizeof(tile));
}

static void *row_at(const struct instruction *i, int row) {
  return (void *)(i->address + row * i->stride);
}

static void load(const struct instruction *i) {
  uint8_t (*rows)[COLSB] = tile_of(i, i->reg);
  memset(rows, 0, sizeof(tile));
  for (int r = 0; r < state.config.rows[i->reg]; ++r)
    memcpy(rows[r], row_at(i, r), state.config.colsb[i->reg]);
}

static void store(const struct instruction *i) {
  uint8_t (*rows)[COLSB] = tile_of(i, i->reg);
  for (int r = 0; r < state.config.rows[i->reg]; ++r)
    memcpy(row_at(i, r), rows[r], state.config.colsb[i->reg]);
}

/*===--- Products ------------------------------------------------------------------===*/

/* C += A B, of M rows, N columns and K groups of 4 bytes. */
struct product {
  uint8_t (*c)[COLSB], (*a)[COLSB], (*b)[COLSB];
  int m, n, k;
};

static struct product product_of(const struct instruction *i) {
  int c = i->reg, a = i->rm, b = i->vvvv;
  if (c == a || c == b || a == b)
    refuse(i, "#UD: tmm%d, tmm%d and tmm%d are not three tiles", c, a, b);
  struct product p = {.c = tile_of(i, c), .a = tile_of(i, a), .b = tile_of(i, b)};
  const uint8_t *rows = state.config.rows;
  const uint16_t *colsb = state.config.colsb;
  if (rows[c] != rows[a] || colsb[c] != colsb[b] || colsb[a] / 4 != rows[b])
    refuse(i, "#UD: %d rows of %d bytes are no product of %d of %d and %d of %d", rows[c],
           colsb[c], rows[a], colsb[a], rows[b], colsb[b]);
  p.m = rows[c], p.n = colsb[c] / 4, p.k = rows[b];
  __atomic_fetch_add(&products, 1, __ATOMIC_RELAXED);
  return p;
}

static uint32_t word_of(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof(word));
  return word;
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/* The manual's sums in its order: of the even and of the odd terms each one in fused
 * steps, then both together, then on what C had. Which NaN a result is, the manual does
 * not say. Not yet compared with a CPU. */
__attribute__((noipa)) static void sum_bf16(const struct product *p) {
  for (int m = 0; m < p->m; ++m) {
    float even[16] = {0}, odd[16] = {0};
    for (int k = 0; k < p->k; ++k) {
      uint32_t pair = word_of(p->a[m] + 4 * k);
      float a0 = float_of(pair << 16), a1 = float_of(pair & 0xffff0000);
      for (int n = 0; n < 16; ++n) { /* past N there are zeros */
        uint32_t other = word_of(p->b[k] + 4 * n);
        even[n] = __builtin_fmaf(a0, float_of(other << 16), even[n]);
        odd[n] = __builtin_fmaf(a1, float_of(other & 0xffff0000), odd[n]);
      }
    }
    for (int n = 0; n < p->n; ++n) {
      float sum = float_of(word_of(p->c[m] + 4 * n)) + (even[n] + odd[n]);
      memcpy(p->c[m] + 4 * n, &sum, sizeof(sum));
    }
  }
}

static void multiply_bf16(const struct instruction *i) {
  struct product p = product_of(i);
  /* To nearest, and denormals of operands and results are zeros, whatever the program has
   * set: it has that back after the signal. */
  _mm_setcsr(_MM_MASK_MASK | _MM_ROUND_NEAREST | _MM_FLUSH_ZERO_ON |
             _MM_DENORMALS_ZERO_ON);
  sum_bf16(&p);
}

static inline int32_t byte_of(uint32_t word, int byte, bool is_signed) {
  uint8_t value = word >> 8 * byte;
  return is_signed ? (int8_t)value : value;
}

/* Sums wrap around, so their order is no matter. */
static inline __attribute__((always_inline)) void
multiply_bytes(const struct instruction *i, bool a_signed, bool b_signed) {
  struct product p = product_of(i);
  for (int m = 0; m < p.m; ++m) {
    uint32_t sums[16];
    memcpy(sums, p.c[m], sizeof(sums));
    for (int k = 0; k < p.k; ++k) {
      uint32_t a = word_of(p.a[m] + 4 * k);
      for (int n = 0; n < 16; ++n) { /* past N there are zeros */
        uint32_t b = word_of(p.b[k] + 4 * n);
        for (int byte = 0; byte < 4; ++byte)
          sums[n] += byte_of(a, byte, a_signed) * byte_of(b, byte, b_signed);
      }
    }
    memcpy(p.c[m], sums, sizeof(sums));
  }
}

static void multiply_ss(const struct instruction *i) { multiply_bytes(i, true, true); }
static void multiply_su(const struct instruction *i) { multiply_bytes(i, true, false); }
static void multiply_us(const struct instruction *i) { multiply_bytes(i, false, true); }
static void multiply_uu(const struct instruction *i) { multiply_bytes(i, false, false); }

/*===--- Decoding ------------------------------------------------------------------===*/

enum { NP, P66, PF3, PF2 }; /* the field pp of VEX */

static const struct opcode opcodes[] = {
    {0x49, NP, MEMORY, "ldtilecfg", load_config},
    {0x49, NP, NOTHING, "tilerelease", release},
    {0x49, P66, MEMORY, "sttilecfg", store_config},
    {0x49, PF2, TILE, "tilezero", zero},
    {0x4b, PF2, TILE_AND_ROWS, "tileloadd", load},
    {0x4b, P66, TILE_AND_ROWS, "tileloaddt1", load},
    {0x4b, PF3, TILE_AND_ROWS, "tilestored", store},
    {0x5c, PF3, PRODUCT, "tdpbf16ps", multiply_bf16},
    {0x5e, PF2, PRODUCT, "tdpbssd", multiply_ss},
    {0x5e, PF3, PRODUCT, "tdpbsud", multiply_su},
    {0x5e, P66, PRODUCT, "tdpbusd", multiply_us},
    {0x5e, NP, PRODUCT, "tdpbuud", multiply_uu},
};

/* Whether the operands that are encoded are those which an opcode has. */
static bool has_operands(const struct opcode *opcode, const struct instruction *i,
                         bool in_memory, bool has_sib) {
  switch (opcode->operands) {
  case NOTHING:
    return !in_memory && !i->reg && !i->rm && !i->vvvv;
  case TILE:
    return !in_memory && i->reg < TILES && !i->rm && !i->vvvv;
  case MEMORY:
    return in_memory && !i->reg && !i->vvvv;
  case TILE_AND_ROWS:
    return in_memory && has_sib && i->reg < TILES && !i->vvvv;
  case PRODUCT:
    return !in_memory && i->reg < TILES && i->rm < TILES && i->vvvv < TILES;
  }
  return false;
}

/* A general register by its number in instructions. */
static uint64_t register_of(const greg_t *registers, int number) {
  static const int places[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                               REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                               REG_R12, REG_R13, REG_R14, REG_R15};
  return registers[places[number]];
}

/* Reads what comes after the opcode, whose ModRM has a memory operand. */
static void decode_address(const uint8_t *modrm, int x, int b, const greg_t *registers,
                           struct instruction *i) {
  int mode = *modrm >> 6, base = *modrm & 7;
  bool has_sib = base == 4;
  const uint8_t *next = modrm + 1;
  if (has_sib) {
    uint8_t sib = *next++;
    int index = (sib >> 3 & 7) | x;
    base = sib & 7;
    if (index != 4) /* which means none */
      i->stride = register_of(registers, index) << (sib >> 6);
  }
  bool has_base = mode != 0 || base != 5;
  int32_t displacement = 0;
  if (mode == 1) {
    displacement = (int8_t)*next++;
  } else if (mode == 2 || !has_base) {
    memcpy(&displacement, next, sizeof(displacement));
    next += sizeof(displacement);
  }
  i->end = next;
  uint64_t start = has_base  ? register_of(registers, base | b)
                   : has_sib ? 0
                             : (uint64_t)next; /* relative to the next instruction */
  i->address = start + (int64_t)displacement;
}

/* Reads an instruction: C4, VEX's two bytes, opcode, ModRM. False if it is none of AMX.
 */
static bool decode(const uint8_t *code, const greg_t *registers, struct instruction *i) {
  const int map_0f38 = 2;
  if (code[0] != 0xc4 || (code[1] & 0x1f) != map_0f38 || (code[2] & 0x84) != 0)
    return false; /* W and L are 0 */
  int r = code[1] & 0x80 ? 0 : 8, x = code[1] & 0x40 ? 0 : 8, b = code[1] & 0x20 ? 0 : 8;
  uint8_t modrm = code[4];
  bool in_memory = modrm >> 6 != 3, has_sib = (modrm & 7) == 4;
  *i = (struct instruction){.reg = (modrm >> 3 & 7) | r,
                            .rm = (modrm & 7) | b,
                            .vvvv = ~code[2] >> 3 & 15,
                            .end = code + 5};
  for (size_t row = 0; row < sizeof(opcodes) / sizeof(*opcodes); ++row)
    if (opcodes[row].byte == code[3] && opcodes[row].prefix == (code[2] & 3) &&
        has_operands(&opcodes[row], i, in_memory, has_sib))
      i->opcode = &opcodes[row];
  if (!i->opcode)
    return false;
  if (in_memory)
    decode_address(code + 4, x, b, registers, i);
  if (i->opcode->operands == MEMORY)
    i->address += i->stride;
  return true;
}

/*===--- The program ---------------------------------------------------------------===*/

/* What is no instruction of AMX fails as it would have. */
static void give_up(const uint8_t *code) {
  size_t count = 4096 - ((uintptr_t)code & 4095); /* the next page may not be there */
  dprintf(STDERR_FILENO, "amx: not an instruction of AMX:");
  for (size_t b = 0; b < count && b < 15; ++b)
    dprintf(STDERR_FILENO, " %02x", code[b]);
  dprintf(STDERR_FILENO, "\n");
  signal(SIGILL, SIG_DFL);
}

static void on_illegal(int signal, siginfo_t *information, void *context) {
  (void)signal, (void)information;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *code = (const uint8_t *)registers[REG_RIP];
  struct instruction i;
  if (!decode(code, registers, &i)) {
    give_up(code);
    return;
  }
  i.opcode->run(&i);
  __atomic_fetch_add(&instructions, 1, __ATOMIC_RELAXED);
  registers[REG_RIP] = (greg_t)i.end;
}

__attribute__((constructor)) static void start(void) {
  const long request_permission = 0x1023, tile_data = 18;
  native = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  struct sigaction action = {.sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO};
  if (!native)
    sigaction(SIGILL, &action, NULL);
}

__attribute__((destructor)) static void finish(void) {
  const char *path = getenv("TILEWRIGHT_AMX_LOG");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (file < 0)
    return;
  if (native)
    dprintf(file, "native\n");
  else
    dprintf(file, "%lu %lu\n", instructions, products);
  close(file);
}
