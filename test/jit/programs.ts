// Programs that are hard on a JIT, for the machine of code-rig.ts. R12 counts rounds down; HLT ends them.

import { type Program, program } from './program.js';

/** A function is rewritten while it is hot: 40 rounds of 50 calls. Function at 0x11000. */
export const PAGE = program(
  0x10000,
  `
  41 bc 28 00 00 00                mov r12d,0x28
  31 db                            xor ebx,ebx
  b9 32 00 00 00                   mov ecx,0x32
  e8 ee 0f 00 00                   call 0x11000
  e2 f9                            loop 0x1000d
  83 04 25 03 10 01 00 03          add DWORD PTR ds:0x11003,0x3
  41 ff cc                         dec r12d
  75 e7                            jne 0x10008
  f4                               hlt
`,
);

/** What is called and rewritten: its immediate is at 0x11003. */
export const FUNCTION = program(
  0x11000,
  `
  48 81 c3 01 01 01 01             add rbx,0x1010101
  48 c1 c3 05                      rol rbx,0x5
  c3                               ret
`,
);

/** As before, but written through another linear page of the same frame, and executed through both. */
export const ALIAS = program(
  0x10000,
  `
  41 bc 28 00 00 00                mov r12d,0x28
  31 db                            xor ebx,ebx
  b9 1e 00 00 00                   mov ecx,0x1e
  e8 ee 0f 00 00                   call 0x11000
  e8 e9 0f 20 00                   call 0x211000
  e2 f4                            loop 0x1000d
  83 04 25 03 10 21 00 07          add DWORD PTR ds:0x211003,0x7
  0f a2                            cpuid
  41 bd 01 00 00 00                mov r13d,0x1
  80 04 25 03 10 01 00 01          add BYTE PTR ds:0x11003,0x1
  0f a2                            cpuid
  41 ff cc                         dec r12d
  75 d0                            jne 0x10008
  f4                               hlt
`,
);

/** Each round changes the instruction that follows, one behind, and one that has just been executed. */
export const RUNNING = program(
  0x10000,
  `
  b9 2c 01 00 00                   mov ecx,0x12c
  31 c0                            xor eax,eax
  05 11 11 11 11                   add eax,0x11111111
  ff 05 04 00 00 00                inc DWORD PTR [rip+0x4]
  83 c3 05                         add ebx,0x5
  ba 00 01 00 00                   mov edx,0x100
  01 d0                            add eax,edx
  83 05 e5 ff ff ff 01             add DWORD PTR [rip-0x1b],0x1
  80 35 01 00 00 00 08             xor BYTE PTR [rip+0x1],0x8
  01 cb                            add ebx,ecx
  ff c9                            dec ecx
  75 d7                            jne 0x10007
  f4                               hlt
`,
);

/** A counter, an array and the stack on the page of the loop that uses them. */
export const BESIDE = program(
  0x10000,
  `
  48 8d 25 d1 00 00 00             lea rsp,[rip+0xd1]
  b9 20 4e 00 00                   mov ecx,0x4e20
  48 ff 05 2d 00 00 00             inc QWORD PTR [rip+0x2d]
  89 c8                            mov eax,ecx
  83 e0 0f                         and eax,0xf
  01 0d 2a 00 00 00                add DWORD PTR [rip+0x2a],ecx
  51                               push rcx
  5a                               pop rdx
  48 01 d3                         add rbx,rdx
  ff c9                            dec ecx
  75 e5                            jne 0x1000c
  f4                               hlt
`,
);

/** Writes functions "mov eax, n; add rbx, rax; ret" one after another and calls each RDX times, RSI of them, from RDI on. */
export const GENERATE = program(
  0x10000,
  `
  c6 07 b8                         mov BYTE PTR [rdi],0xb8
  89 77 01                         mov DWORD PTR [rdi+0x1],esi
  c7 47 05 48 01 c3 c3             mov DWORD PTR [rdi+0x5],0xc3c30148
  89 d1                            mov ecx,edx
  ff d7                            call rdi
  ff c9                            dec ecx
  75 fa                            jne 0x1000f
  4c 01 c7                         add rdi,r8
  ff ce                            dec esi
  75 e4                            jne 0x10000
  f4                               hlt
`,
);

/** Strings across pages, in a loop: copy up, copy down, fill, scan, compare. */
export const STRINGS = program(
  0x10000,
  `
  41 bc c8 00 00 00                mov r12d,0xc8
  41 8d b4 24 9c ff 03 00          lea esi,[r12+0x3ff9c]
  42 8d 3c 65 6a 1f 04 00          lea edi,[r12*2+0x41f6a]
  b9 34 12 00 00                   mov ecx,0x1234
  f3 a4                            rep movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]
  48 01 fb                         add rbx,rdi
  fd                               std
  41 8d b4 24 f8 3f 04 00          lea esi,[r12+0x43ff8]
  41 8d bc 24 f0 5f 04 00          lea edi,[r12+0x45ff0]
  b9 01 03 00 00                   mov ecx,0x301
  f3 48 a5                         rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]
  fc                               cld
  48 01 f3                         add rbx,rsi
  44 89 e0                         mov eax,r12d
  41 8d bc 24 fd 6f 04 00          lea edi,[r12+0x46ffd]
  b9 01 04 00 00                   mov ecx,0x401
  f3 ab                            rep stos DWORD PTR es:[rdi],eax
  b9 00 50 00 00                   mov ecx,0x5000
  41 8d bc 24 f0 6f 04 00          lea edi,[r12+0x46ff0]
  f2 ae                            repnz scas al,BYTE PTR es:[rdi]
  48 01 cb                         add rbx,rcx
  41 8d b4 24 00 0f 04 00          lea esi,[r12+0x40f00]
  42 8d 3c 65 00 2f 04 00          lea edi,[r12*2+0x42f00]
  b9 00 30 00 00                   mov ecx,0x3000
  f3 a6                            repz cmps BYTE PTR ds:[rsi],BYTE PTR es:[rdi]
  9f                               lahf
  48 01 cb                         add rbx,rcx
  48 01 c3                         add rbx,rax
  41 ff cc                         dec r12d
  75 82                            jne 0x10006
  f4                               hlt
`,
);

/** REP MOVSB puts one of two functions where the loop calls, and REP STOSB fills what follows it on the page. */
export const STRING_CODE = program(
  0x10000,
  `
  41 bc c8 00 00 00                mov r12d,0xc8
  8d 35 35 00 00 00                lea esi,[rip+0x35]
  41 f7 c4 04 00 00 00             test r12d,0x4
  74 06                            je 0x1001b
  8d 35 42 00 00 00                lea esi,[rip+0x42]
  bf f8 1f 01 00                   mov edi,0x11ff8
  b9 10 00 00 00                   mov ecx,0x10
  f3 a4                            rep movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]
  44 88 e0                         mov al,r12b
  b9 00 18 00 00                   mov ecx,0x1800
  f3 aa                            rep stos BYTE PTR es:[rdi],al
  e8 c2 1f 00 00                   call 0x11ff8
  e8 bd 1f 00 00                   call 0x11ff8
  41 ff cc                         dec r12d
  75 c6                            jne 0x10006
  f4                               hlt
  48 81 c3 11 11 00 00             add rbx,0x1111
  48 6b db 03                      imul rbx,rbx,0x3
  c3                               ret
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  48 81 eb 22 22 00 00             sub rbx,0x2222
  48 6b db 05                      imul rbx,rbx,0x5
  c3                               ret
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
  00 00                            add BYTE PTR [rax],al
`,
);

/** A loop whose memory operands walk through pages that are not there or may not be written; 12 times, because the handler
 *  mends that. */
export const FAULTS = program(
  0x10000,
  `
  41 bb 0c 00 00 00                mov r11d,0xc
  b8 00 01 00 00                   mov eax,0x100
  80 24 c5 00 60 00 00 fc          and BYTE PTR [rax*8+0x6000],0xfc
  80 24 c5 08 60 00 00 fd          and BYTE PTR [rax*8+0x6008],0xfd
  83 c0 02                         add eax,0x2
  3d 0c 01 00 00                   cmp eax,0x10c
  72 e6                            jb 0x1000b
  0f 20 d8                         mov rax,cr3
  0f 22 d8                         mov cr3,rax
  41 bc 00 00 10 00                mov r12d,0x100000
  41 bd 00 90 00 00                mov r13d,0x9000
  44 01 eb                         add ebx,r13d
  49 8b 04 24                      mov rax,QWORD PTR [r12]
  48 31 d8                         xor rax,rbx
  49 01 44 24 08                   add QWORD PTR [r12+0x8],rax
  48 83 d3 07                      adc rbx,0x7
  41 39 9c 24 f0 0f 00 00          cmp DWORD PTR [r12+0xff0],ebx
  0f 92 c2                         setb dl
  41 ff b4 24 f0 07 00 00          push QWORD PTR [r12+0x7f0]
  41 8f 84 24 f8 07 00 00          pop QWORD PTR [r12+0x7f8]
  49 d1 fd                         sar r13,1
  49 87 b4 24 00 01 00 00          xchg QWORD PTR [r12+0x100],rsi
  41 83 c4 48                      add r12d,0x48
  41 81 fc 00 a0 10 00             cmp r12d,0x10a000
  72 ba                            jb 0x10037
  41 ff cb                         dec r11d
  75 84                            jne 0x10006
  f4                               hlt
`,
);

/** Division errors, undefined opcodes, addresses that are not canonical, breakpoints, in the middle of a hot loop.
 *  R14 = 3: each faulting instruction has three bytes. */
export const TRAPS = program(
  0x10000,
  `
  41 be 03 00 00 00                mov r14d,0x3
  41 bc d0 07 00 00                mov r12d,0x7d0
  44 89 e0                         mov eax,r12d
  31 d2                            xor edx,edx
  45 89 e0                         mov r8d,r12d
  41 83 e0 07                      and r8d,0x7
  01 c3                            add ebx,eax
  49 f7 f0                         div r8
  48 8d 1c 43                      lea rbx,[rbx+rax*2]
  41 f7 c4 3f 00 00 00             test r12d,0x3f
  75 05                            jne 0x1002f
  39 d8                            cmp eax,ebx
  0f 0b                            ud2
  90                               nop
  4d 89 e1                         mov r9,r12
  41 83 e1 1f                      and r9d,0x1f
  41 83 f9 01                      cmp r9d,0x1
  4d 19 c9                         sbb r9,r9
  49 c1 e1 3c                      shl r9,0x3c
  49 81 c1 00 00 10 00             add r9,0x100000
  49 03 19                         add rbx,QWORD PTR [r9]
  f9                               stc
  48 11 c3                         adc rbx,rax
  41 ff cc                         dec r12d
  75 b8                            jne 0x1000c
  f4                               hlt
`,
);

/** Vector on the stack, then error code, RIP, CS, RFLAGS, RSP, SS. Writes down registers at R15; a page fault makes the page
 *  present and writable; anything else skips R14 bytes. */
export const HANDLER = program(
  0x21000,
  `
  50                               push rax
  51                               push rcx
  48 8b 44 24 10                   mov rax,QWORD PTR [rsp+0x10]
  49 89 07                         mov QWORD PTR [r15],rax
  48 8b 44 24 18                   mov rax,QWORD PTR [rsp+0x18]
  49 89 47 08                      mov QWORD PTR [r15+0x8],rax
  48 8b 44 24 20                   mov rax,QWORD PTR [rsp+0x20]
  49 89 47 10                      mov QWORD PTR [r15+0x10],rax
  48 8b 44 24 30                   mov rax,QWORD PTR [rsp+0x30]
  49 89 47 18                      mov QWORD PTR [r15+0x18],rax
  48 8b 44 24 38                   mov rax,QWORD PTR [rsp+0x38]
  49 89 47 20                      mov QWORD PTR [r15+0x20],rax
  0f 20 d0                         mov rax,cr2
  49 89 47 28                      mov QWORD PTR [r15+0x28],rax
  48 8b 44 24 08                   mov rax,QWORD PTR [rsp+0x8]
  49 89 47 30                      mov QWORD PTR [r15+0x30],rax
  49 89 5f 38                      mov QWORD PTR [r15+0x38],rbx
  49 89 57 40                      mov QWORD PTR [r15+0x40],rdx
  49 89 77 48                      mov QWORD PTR [r15+0x48],rsi
  4d 89 67 50                      mov QWORD PTR [r15+0x50],r12
  4d 89 6f 58                      mov QWORD PTR [r15+0x58],r13
  48 8b 04 24                      mov rax,QWORD PTR [rsp]
  49 89 47 60                      mov QWORD PTR [r15+0x60],rax
  49 83 c7 68                      add r15,0x68
  83 7c 24 10 0e                   cmp DWORD PTR [rsp+0x10],0xe
  75 17                            jne 0x2107c
  0f 20 d0                         mov rax,cr2
  48 c1 e8 0c                      shr rax,0xc
  80 0c c5 00 60 00 00 03          or BYTE PTR [rax*8+0x6000],0x3
  0f 20 d0                         mov rax,cr2
  0f 01 38                         invlpg BYTE PTR [rax]
  eb 05                            jmp 0x21081
  4c 01 74 24 20                   add QWORD PTR [rsp+0x20],r14
  59                               pop rcx
  58                               pop rax
  48 83 c4 10                      add rsp,0x10
  48 cf                            iretq
`,
);

/** A loop with interrupts on; nothing but the interrupts ends it. */
export const INTERRUPTED = program(
  0x10000,
  `
  fb                               sti
  31 db                            xor ebx,ebx
  48 ff c3                         inc rbx
  48 6b cb 1f                      imul rcx,rbx,0x1f
  48 01 ca                         add rdx,rcx
  48 89 14 25 00 00 10 00          mov QWORD PTR ds:0x100000,rdx
  48 c1 ca 03                      ror rdx,0x3
  48 83 3c 25 00 80 10 00 28       cmp QWORD PTR ds:0x108000,0x28
  72 df                            jb 0x10003
  fa                               cli
  f4                               hlt
`,
);

/** Writes down where and with what it interrupted. */
export const INTERRUPT = program(
  0x22000,
  `
  50                               push rax
  48 8b 44 24 08                   mov rax,QWORD PTR [rsp+0x8]
  49 89 07                         mov QWORD PTR [r15],rax
  49 89 5f 08                      mov QWORD PTR [r15+0x8],rbx
  49 89 57 10                      mov QWORD PTR [r15+0x10],rdx
  48 8b 44 24 18                   mov rax,QWORD PTR [rsp+0x18]
  49 89 47 18                      mov QWORD PTR [r15+0x18],rax
  49 83 c7 20                      add r15,0x20
  48 ff 04 25 00 80 10 00          inc QWORD PTR ds:0x108000
  58                               pop rax
  48 cf                            iretq
`,
);

/** A device access every 100 rounds. */
export const DEVICE = program(
  0x10000,
  `
  31 db                            xor ebx,ebx
  ff c3                            inc ebx
  48 01 da                         add rdx,rbx
  6b c9 05                         imul ecx,ecx,0x5
  83 c1 01                         add ecx,0x1
  85 db                            test ebx,ebx
  89 d8                            mov eax,ebx
  52                               push rdx
  31 d2                            xor edx,edx
  41 b8 64 00 00 00                mov r8d,0x64
  41 f7 f0                         div r8d
  85 d2                            test edx,edx
  5a                               pop rdx
  75 02                            jne 0x10024
  e7 10                            out 0x10,eax
  81 fb 88 13 00 00                cmp ebx,0x1388
  72 d6                            jb 0x10002
  f4                               hlt
`,
);

/** The page at 0x11000, whose code is hot, turns by turn is one of two frames. */
export const REMAPPED = program(
  0x10000,
  `
  41 bc 3c 00 00 00                mov r12d,0x3c
  b9 28 00 00 00                   mov ecx,0x28
  e8 f0 0f 00 00                   call 0x11000
  e2 f9                            loop 0x1000b
  48 81 34 25 88 60 00 00 00 30 00 00 xor QWORD PTR ds:0x6088,0x3000
  0f 01 3c 25 00 10 01 00          invlpg BYTE PTR ds:0x11000
  41 ff cc                         dec r12d
  75 db                            jne 0x10006
  f4                               hlt
`,
);

/** Doubles in a loop: every other one is denormal. The control word is at 0x1000a. */
export const DENORMAL = program(
  0x10000,
  `
  41 bc a0 0f 00 00                mov r12d,0xfa0
  c7 44 24 f8 a0 1f 00 00          mov DWORD PTR [rsp-0x8],0x1fa0
  0f ae 54 24 f8                   ldmxcsr DWORD PTR [rsp-0x8]
  48 b8 00 00 00 00 00 00 f8 3f    movabs rax,0x3ff8000000000000
  66 48 0f 6e c8                   movq xmm1,rax
  49 b9 23 01 00 00 00 00 f0 3f    movabs r9,0x3ff0000000000123
  bb 21 03 00 00                   mov ebx,0x321
  66 48 0f 6e c3                   movq xmm0,rbx
  f2 0f 59 c1                      mulsd xmm0,xmm1
  f2 0f 58 d0                      addsd xmm2,xmm0
  66 0f 2f c1                      comisd xmm0,xmm1
  49 83 d2 00                      adc r10,0x0
  66 48 0f 7e c2                   movq rdx,xmm0
  49 01 d0                         add r8,rdx
  4c 31 cb                         xor rbx,r9
  41 ff cc                         dec r12d
  75 db                            jne 0x10031
  66 48 0f 7e d6                   movq rsi,xmm2
  0f ae 5c 24 f8                   stmxcsr DWORD PTR [rsp-0x8]
  f4                               hlt
`,
);

/** The same with results rounded upwards. */
export const ROUNDED: Program = {
  ...DENORMAL,
  bytes: Uint8Array.from(DENORMAL.bytes, (byte, i) => (i === 0xb ? 0x5f : byte)),
};

/** Close accesses, in a loop that walks through pages that are not there or may not be written, as FAULTS does. */
export const CLOSE = program(
  0x10000,
  `
  41 bb 0c 00 00 00                mov r11d,0xc
  b8 00 01 00 00                   mov eax,0x100
  80 24 c5 00 60 00 00 fc          and BYTE PTR [rax*8+0x6000],0xfc
  80 24 c5 08 60 00 00 fd          and BYTE PTR [rax*8+0x6008],0xfd
  83 c0 02                         add eax,0x2
  3d 0c 01 00 00                   cmp eax,0x10c
  72 e6                            jb 0x1000b
  0f 20 d8                         mov rax,cr3
  0f 22 d8                         mov cr3,rax
  41 bc 00 00 10 00                mov r12d,0x100000
  49 8b 04 24                      mov rax,QWORD PTR [r12]
  49 03 44 24 08                   add rax,QWORD PTR [r12+0x8]
  49 89 44 24 10                   mov QWORD PTR [r12+0x10],rax
  49 01 5c 24 18                   add QWORD PTR [r12+0x18],rbx
  41 88 44 24 1f                   mov BYTE PTR [r12+0x1f],al
  41 0f 10 44 24 20                movups xmm0,XMMWORD PTR [r12+0x20]
  4d 8d 44 24 30                   lea r8,[r12+0x30]
  66 0f fe 05 a4 ff ff ff          paddd xmm0,XMMWORD PTR [rip-0x5c]
  41 0f 11 40 f8                   movups XMMWORD PTR [r8-0x8],xmm0
  49 13 18                         adc rbx,QWORD PTR [r8]
  53                               push rbx
  50                               push rax
  48 8b 4c 24 08                   mov rcx,QWORD PTR [rsp+0x8]
  5a                               pop rdx
  5f                               pop rdi
  48 8d 5c 4b 07                   lea rbx,[rbx+rcx*2+0x7]
  4b 33 1c dc                      xor rbx,QWORD PTR [r12+r11*8]
  4b 89 5c dc 08                   mov QWORD PTR [r12+r11*8+0x8],rbx
  41 83 c4 38                      add r12d,0x38
  41 81 fc 00 9f 10 00             cmp r12d,0x109f00
  72 a9                            jb 0x10031
  41 ff cb                         dec r11d
  0f 85 75 ff ff ff                jne 0x10006
  f4                               hlt
`,
);

/** Close accesses that have to be aligned: three rounds of four are not, and some cross a page. Instructions that may
 *  fault have five bytes. */
export const ALIGNED = program(
  0x10000,
  `
  41 be 05 00 00 00                mov r14d,0x5
  41 bc 20 03 00 00                mov r12d,0x320
  45 89 e1                         mov r9d,r12d
  41 83 e1 1f                      and r9d,0x1f
  45 6b c9 0c                      imul r9d,r9d,0xc
  41 81 c1 c4 0e 10 00             add r9d,0x100ec4
  49 8b 41 08                      mov rax,QWORD PTR [r9+0x8]
  48 01 c3                         add rbx,rax
  41 0f 28 41 10                   movaps xmm0,XMMWORD PTR [r9+0x10]
  41 0f 29 41 20                   movaps XMMWORD PTR [r9+0x20],xmm0
  49 89 59 18                      mov QWORD PTR [r9+0x18],rbx
  41 0f 28 49 30                   movaps xmm1,XMMWORD PTR [r9+0x30]
  41 ff cc                         dec r12d
  75 cf                            jne 0x1000c
  f4                               hlt
`,
);

/** Accesses that cross from one page to the next, whose frames do not lie side by side, after accesses to the next. */
export const CROSSING = program(
  0x10000,
  `
  48 8b 04 25 08 68 00 00          mov rax,QWORD PTR ds:0x6808
  48 8b 0c 25 18 68 00 00          mov rcx,QWORD PTR ds:0x6818
  48 89 0c 25 08 68 00 00          mov QWORD PTR ds:0x6808,rcx
  48 89 04 25 18 68 00 00          mov QWORD PTR ds:0x6818,rax
  0f 20 d8                         mov rax,cr3
  0f 22 d8                         mov cr3,rax
  41 bc d0 07 00 00                mov r12d,0x7d0
  bb f0 1f 10 00                   mov ebx,0x101ff0
  41 b8 10 20 10 00                mov r8d,0x102010
  49 03 10                         add rdx,QWORD PTR [r8]
  4c 87 c3                         xchg rbx,r8
  49 03 10                         add rdx,QWORD PTR [r8]
  4c 87 c3                         xchg rbx,r8
  49 83 c0 04                      add r8,0x4
  48 83 c3 04                      add rbx,0x4
  48 c1 ca 07                      ror rdx,0x7
  48 89 d9                         mov rcx,rbx
  81 e1 ff 00 00 00                and ecx,0xff
  75 dd                            jne 0x10037
  41 b8 00 20 10 00                mov r8d,0x102000
  49 89 50 f0                      mov QWORD PTR [r8-0x10],rdx
  41 0f 10 00                      movups xmm0,XMMWORD PTR [r8]
  66 0f d4 c8                      paddq xmm1,xmm0
  49 83 e8 05                      sub r8,0x5
  41 81 f8 e0 1f 10 00             cmp r8d,0x101fe0
  73 e7                            jae 0x10060
  41 ff cc                         dec r12d
  75 ae                            jne 0x1002c
  66 48 0f 7e ce                   movq rsi,xmm1
  f4                               hlt
`,
);

/**
 * Accesses of all sorts walk over eight pages from 0x40000, across their boundaries; after each round another frame comes
 * under the fourth page: its own, or the first one's.
 */
export const WALK = program(
  0x10000,
  `
  41 bc 3c 00 00 00                mov r12d,0x3c
  be fb 0f 04 00                   mov esi,0x40ffb
  b9 3c 00 00 00                   mov ecx,0x3c
  48 8b 06                         mov rax,QWORD PTR [rsi]
  48 01 c3                         add rbx,rax
  48 c1 c3 07                      rol rbx,0x7
  48 01 5e 05                      add QWORD PTR [rsi+0x5],rbx
  f3 0f 6f 46 fd                   movdqu xmm0,XMMWORD PTR [rsi-0x3]
  f3 0f 7f 46 21                   movdqu XMMWORD PTR [rsi+0x21],xmm0
  ff 76 30                         push QWORD PTR [rsi+0x30]
  53                               push rbx
  5a                               pop rdx
  8f 46 38                         pop QWORD PTR [rsi+0x38]
  48 81 c6 f3 01 00 00             add rsi,0x1f3
  ff c9                            dec ecx
  75 d5                            jne 0x10010
  48 81 34 25 18 62 00 00 00 30 00 00 xor QWORD PTR ds:0x6218,0x3000
  0f 01 3c 25 00 30 04 00          invlpg BYTE PTR ds:0x43000
  41 ff cc                         dec r12d
  75 b2                            jne 0x10006
  f4                               hlt
`,
);

/** One byte in each of eight pages is changed; in the fourth one it belongs to a function that is called each round. */
export const STEPS = program(
  0x10000,
  `
  41 bc 3c 00 00 00                mov r12d,0x3c
  be 03 00 04 00                   mov esi,0x40003
  b9 08 00 00 00                   mov ecx,0x8
  80 06 03                         add BYTE PTR [rsi],0x3
  48 03 9e 00 01 00 00             add rbx,QWORD PTR [rsi+0x100]
  48 89 9e 08 01 00 00             mov QWORD PTR [rsi+0x108],rbx
  48 81 c6 00 10 00 00             add rsi,0x1000
  ff c9                            dec ecx
  75 e4                            jne 0x10010
  e8 cf 2f 03 00                   call 0x43000
  41 ff cc                         dec r12d
  75 d0                            jne 0x10006
  f4                               hlt
`,
);

/** The third and the fifth page from 0x40000 are accessed, then the one between them, under which frames take turns. */
export const BETWEEN = program(
  0x10000,
  `
  41 bc 3c 00 00 00                mov r12d,0x3c
  be 08 20 04 00                   mov esi,0x42008
  bf 00 60 00 00                   mov edi,0x6000
  b9 03 00 00 00                   mov ecx,0x3
  48 03 1e                         add rbx,QWORD PTR [rsi]
  48 c1 c3 03                      rol rbx,0x3
  48 89 1e                         mov QWORD PTR [rsi],rbx
  48 31 fe                         xor rsi,rdi
  81 f7 00 10 00 00                xor edi,0x1000
  ff c9                            dec ecx
  75 e9                            jne 0x10015
  48 81 34 25 18 62 00 00 00 30 00 00 xor QWORD PTR ds:0x6218,0x3000
  0f 01 3c 25 00 30 04 00          invlpg BYTE PTR ds:0x43000
  41 ff cc                         dec r12d
  75 c1                            jne 0x10006
  f4                               hlt
`,
);
