import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as IR from '../../assembly/ir/ops.js';
import * as L from '../../assembly/layout/x86-state.js';
import * as VOPS from '../../assembly/sse/vops.js';
import { x86SlotName } from '../../src/trace/ir-slots-x86.js';
import { irText, readIrOperation } from '../../src/trace/ir-text.js';

const names = { slot: x86SlotName, helper: (index: number) => (index === 7 ? 'divide' : `helper ${index}`) };
const alu = (kind: number, size: number, bits = 0) => IR.OP_ALU | (kind << 4) | (size << 2) | bits;

function text(opcode: number, d = 0, a = 0, b = 0, imm = 0n): string {
  return irText({ opcode, d, a, b, imm: BigInt.asUintN(64, imm) }, names);
}

test('slots have the names of registers, by operand size', () => {
  for (const [slot, size, name] of [
    [L.S_RAX, 3, 'rax'],
    [L.S_RAX, 2, 'eax'],
    [L.S_RAX, 1, 'ax'],
    [L.S_RAX, 0, 'al'],
    [L.S_RAX + 1, 0, 'ah'],
    [L.S_RBX + 1, 0, 'bh'],
    [L.S_RSI, 0, 'sil'],
    [L.S_R15, 2, 'r15d'],
    [L.S_RIP, 3, 'rip'],
    [L.S_ZERO, 3, 'zero'],
    [L.S_T0 + 24, 3, 't3'],
    [L.S_V0 + 16, 4, 'v1'],
    [L.S_XMM + 5 * 16, 4, 'xmm5'],
    [L.S_XMM + 5 * 16 + 8, 3, 'xmm5[8]'],
    [L.S_FPR + 32, 3, 'fpr2'],
    [L.S_SEG + L.SEG_FS * L.SEG_SIZE, 3, 'fs.base'],
    [L.S_SEG + L.SEG_CS * L.SEG_SIZE + L.SEG_LIMIT, 2, 'cs.limit'],
    [L.S_CR0, 3, 'cr0'],
    [0x7f8, 3, 'state+0x7f8'],
  ] as const) {
    assert.is(x86SlotName(slot, size), name);
  }
});

test('arithmetic says its width and whether it sets flags', () => {
  assert.is(text(alu(IR.ALU_ADD, 3), L.S_RAX, L.S_RAX, L.S_RCX), 'rax = add64 rax, rcx  ; sets flags');
  assert.is(text(alu(IR.ALU_OR, 2, IR.ALU_NOFLAGS), L.S_RAX, L.S_RAX, L.S_RCX), 'eax = or32 eax, ecx');
  assert.is(text(alu(IR.ALU_ADC, 1, IR.ALU_IMM), L.S_RDX, L.S_RDX, 0, -1n), 'dx = adc16 dx, -0x1  ; sets flags');
  assert.is(text(alu(IR.ALU_CMP, 0, IR.ALU_IMM), 0, L.S_RAX + 1, 0, 5n), 'cmp8 ah, 0x5  ; sets flags');
  assert.is(text(alu(IR.ALU_SHL, 3), L.S_RBX, L.S_RBX, L.S_RCX), 'rbx = shl64 rbx, cl  ; sets flags');
  assert.is(text(alu(IR.ALU_INC, 2, IR.ALU_IMM), L.S_RBX, L.S_RBX), 'ebx = dec32 ebx  ; sets flags');
  assert.is(text(alu(IR.ALU_NOT, 2, IR.ALU_IMM), L.S_RBX, L.S_RBX), 'ebx = bswap32 ebx');
  assert.is(
    text(IR.OP_ROT | IR.ROT_RIGHT | 8 | IR.ALU_IMM, L.S_RAX, L.S_RAX, 0, 3n),
    'eax = ror32 eax, 3  ; sets flags',
  );
});

test('moves, extensions, addresses', () => {
  assert.is(text(IR.OP_MOV + 2, L.S_RAX, L.S_R8), 'eax = r8d');
  assert.is(text(IR.OP_MOVI + 3, L.S_RAX, 0, 0, 0xffff800000000000n), 'rax = 0xffff800000000000');
  assert.is(text(IR.OP_SX16_64, L.S_RAX, L.S_RDX), 'rax = sx16 dx');
  assert.is(text(IR.OP_XCHG + 1, L.S_RAX, L.S_RDX), 'xchg16 ax, dx');
  assert.is(text(IR.OP_CMOV + 3, L.S_RAX, L.S_RDX, 0, BigInt(IR.CC_NE)), 'if ne: rax = rdx');
  assert.is(text(IR.OP_SETCC, L.S_RAX, 0, 0, BigInt(IR.CC_LE)), 'al = le ? 1 : 0');
  const address = (disp: number, shift: number, above = 0n) =>
    BigInt.asUintN(32, BigInt(disp)) | (BigInt(shift) << 32n) | (above << 32n);
  assert.is(text(IR.OP_LEA64, L.S_RAX, L.S_RBX, L.S_RCX, address(-16, 2)), 'rax = lea64 rbx + rcx*4 - 0x10');
  assert.is(text(IR.OP_LD + IR.LD_S8_32, L.S_RAX, L.S_RSI, L.S_ZERO, address(0, 0)), 'eax = load8.sx [rsi]');
  assert.is(text(IR.OP_LD_A32 + IR.LD_64, L.S_RAX, L.S_RSI, L.S_ZERO, address(4, 0)), 'rax = load64 [esi + 0x4]');
  assert.is(text(IR.OP_LD + IR.LD_128, L.S_XMM, L.S_ZERO, L.S_ZERO, address(0x7000, 0)), 'xmm0 = load128 [0x7000]');
  assert.is(text(IR.OP_ST + 1, L.S_RAX, L.S_RDI, L.S_ZERO, address(0, 0)), 'store16 [rdi], ax');
  assert.is(text(IR.OP_STI + 2, 3, L.S_RDI, L.S_RCX, address(8, 0, 0x1234n)), 'store32 [rdi + rcx*8 + 0x8], 0x1234');
  assert.is(text(IR.OP_ST + IR.ST_128_ALIGNED, L.S_XMM + 16, L.S_RDI, L.S_ZERO), 'store128.aligned [rdi], xmm1');
});

test('control flow, checks, helpers', () => {
  assert.is(text(IR.OP_JCC, 0, IR.CC_B, 0, 0x400n), 'if b: goto 0x400');
  assert.is(text(IR.OP_CMPJ + 2, IR.CC_G, L.S_RAX, L.S_RDX, 0x400n), 'cmp32 eax, edx; if g: goto 0x400');
  assert.is(text(IR.OP_TESTJ + 3, IR.CC_E, L.S_RAX, L.S_RAX, 0x400n), 'test64 rax, rax; if e: goto 0x400');
  assert.is(text(IR.OP_RET64, 0, 0, 0, 8n), 'goto pop64, then drop 8 bytes');
  assert.is(text(IR.OP_CALL, 7, L.S_T0, 3, 1n), 'call divide(t0, 3, 0x1)');
  assert.is(text(IR.OP_CALL, 9, L.S_RCX, 0, 0n), 'call helper 9(8/rcx, 0, 0x0)');
  assert.is(text(IR.OP_SYNC, 3, 0, 0, 0x1003n), 'rip = 0x1000, next = 0x1003');
  assert.is(text(IR.OP_SEGLIN, L.S_T0, L.S_RBX, L.SEG_SS, 0x10004n), 't0 = linear ss:rbx, 4 bytes, write');
  assert.is(text(IR.OP_RAISE, 0, 0, 0, 0x10dn), 'raise exception 13, error code 0x0');
  assert.is(text(IR.OP_VEC, L.S_XMM, L.S_XMM, L.S_XMM + 16, BigInt(VOPS.V_ADD_I32X4)), 'xmm0 = add_i32x4 xmm0, xmm1');
  assert.is(text(IR.OP_VEC, 0, L.S_XMM, L.S_XMM + 16, BigInt(VOPS.V_TEST)), 'test xmm0, xmm1  ; sets flags');
});

test('operations of A64', () => {
  assert.is(text(IR.OP_SEL + 2, 0, 8, 16, BigInt(IR.CC_E)), 'eax = e ? ecx : edx');
  assert.is(text(IR.OP_FIELD, 0, 8, 60, 0xffn), 'rax = (rcx rol 60) & 0xff');
  assert.is(text(IR.OP_UMULH, 0, 8, 16), 'rax = mulhigh64.u rcx, rdx');
  assert.is(text(IR.OP_SDIV + 3, 0, 8, 16), 'rax = div64.s rcx, rdx');
  assert.is(text(IR.OP_LDP + 3, 0, 32, 8, 0xfffffff0n), 'rax, rcx = load pair [rsp - 0x10]');
  assert.is(text(IR.OP_STP + 2, 0, 32, 8), 'store pair [rsp], eax, ecx');
  assert.is(text(IR.OP_CCMP + 3, IR.CC_NE, 0, 8, 0x40n), 'if ne: cmp64 rax, rcx, else flags 0x40  ; sets flags');
  assert.is(text(IR.OP_CMPIJ + 2, IR.CC_B, 0, 7, 0x400n), 'cmp32 eax, 7; if b: goto 0x400');
  assert.is(text(IR.OP_CMPIJ, IR.CC_NE, 0, 0xffff, 0x400n), 'cmp8 al, -1; if ne: goto 0x400');
  assert.is(text(IR.OP_TESTIJ + 3, IR.CC_S, 0, 16, 0x400n), 'test64 rax, 16; if s: goto 0x400');
  assert.is(text(IR.OP_JZ, 0, 0, 3, 0x400n), 'if rax == 0: goto 0x400');
});

test('an unknown operation shows its fields', () => {
  assert.is(text(0x7fff, 1, 2, 3, 4n), 'op 0x7fff d=0x1 a=0x2 b=0x3 imm=0x4');
});

test('operations are read as they lie in memory', () => {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint16(16, IR.OP_PUSHI64, true);
  view.setBigUint64(24, 0x123n, true);
  assert.is(irText(readIrOperation(view, 16), names), 'push64 0x123');
});

test.run();
