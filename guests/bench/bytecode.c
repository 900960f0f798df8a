// An interpreter of bytecode: a switch in a loop, an indirect branch that is hard to predict.
#include "bench.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MUL, XOR, SHR, LESS, JUMP_IF, JUMP, HALT };

// i = 0; acc = 1; while (i < 40000) { acc = (acc * 31 + i) ^ (acc >> 7); i = i + 1; }
static const i32 program[] = {
    PUSH, 0, STORE, 0, PUSH, 1, STORE, 1,
    /* 8 */ LOAD, 0, PUSH, 40000, LESS, JUMP_IF, 17, JUMP, 42,
    /* 17 */ LOAD, 1, PUSH, 31, MUL, LOAD, 0, ADD, LOAD, 1, PUSH, 7, SHR, XOR, STORE, 1,
    /* 33 */ LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 8,
    /* 42 */ HALT};

static __attribute__((noinline)) u32 interpret(const i32 *code) {
  u32 stack[16], variables[4] = {0, 0, 0, 0};
  u32 sp = 0, pc = 0;
  for (;;) {
    switch (code[pc++]) {
      case PUSH: stack[sp++] = (u32)code[pc++]; break;
      case LOAD: stack[sp++] = variables[code[pc++]]; break;
      case STORE: variables[code[pc++]] = stack[--sp]; break;
      case ADD: sp--; stack[sp - 1] += stack[sp]; break;
      case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
      case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
      case XOR: sp--; stack[sp - 1] ^= stack[sp]; break;
      case SHR: sp--; stack[sp - 1] >>= stack[sp]; break;
      case LESS: sp--; stack[sp - 1] = stack[sp - 1] < stack[sp]; break;
      case JUMP_IF: pc = stack[--sp] ? (u32)code[pc] : pc + 1; break;
      case JUMP: pc = (u32)code[pc]; break;
      default: return variables[1];
    }
  }
}

u32 work(void) { return interpret(program); }
