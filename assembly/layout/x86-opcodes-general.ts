// General-purpose and system instructions. Notation: x86-opcodes.ts.

/** One-byte opcodes (SDM vol. 2D, table A-2). */
export const GENERAL_ROWS = `
00 ADD Eb,Gb lock;  01 ADD Ev,Gv lock;  02 ADD Gb,Eb;  03 ADD Gv,Ev;  04 ADD AL,Ib;  05 ADD rAX,Iz
08 OR  Eb,Gb lock;  09 OR  Ev,Gv lock;  0A OR  Gb,Eb;  0B OR  Gv,Ev;  0C OR  AL,Ib;  0D OR  rAX,Iz
10 ADC Eb,Gb lock;  11 ADC Ev,Gv lock;  12 ADC Gb,Eb;  13 ADC Gv,Ev;  14 ADC AL,Ib;  15 ADC rAX,Iz
18 SBB Eb,Gb lock;  19 SBB Ev,Gv lock;  1A SBB Gb,Eb;  1B SBB Gv,Ev;  1C SBB AL,Ib;  1D SBB rAX,Iz
20 AND Eb,Gb lock;  21 AND Ev,Gv lock;  22 AND Gb,Eb;  23 AND Gv,Ev;  24 AND AL,Ib;  25 AND rAX,Iz
28 SUB Eb,Gb lock;  29 SUB Ev,Gv lock;  2A SUB Gb,Eb;  2B SUB Gv,Ev;  2C SUB AL,Ib;  2D SUB rAX,Iz
30 XOR Eb,Gb lock;  31 XOR Ev,Gv lock;  32 XOR Gb,Eb;  33 XOR Gv,Ev;  34 XOR AL,Ib;  35 XOR rAX,Iz
38 CMP Eb,Gb;       39 CMP Ev,Gv;       3A CMP Gb,Eb;  3B CMP Gv,Ev;  3C CMP AL,Ib;  3D CMP rAX,Iz
06 PUSH ES i64;  07 POP ES i64;  0E PUSH CS i64
16 PUSH SS i64;  17 POP SS i64;  1E PUSH DS i64;  1F POP DS i64
27 DAA i64;  2F DAS i64;  37 AAA i64;  3F AAS i64
# 40-4F are REX prefixes in 64-bit mode
40-47 INC Zv i64;  48-4F DEC Zv i64
50-57 PUSH Zv wide;  58-5F POP Zv wide
60 PUSHA i64;  61 POPA i64;  62 BOUND Gv,Ma i64
63 ARPL Ew,Gw i64;  63 MOVSXD Gv,Ed o64
68 PUSH Iz wide;  69 IMUL Gv,Ev,Iz;  6A PUSH Ibs wide;  6B IMUL Gv,Ev,Ibs
6C INSB Yb,DX;  6D INS Yz,DX;  6E OUTSB DX,Xb;  6F OUTS DX,Xz
70-7F J* Jb wide
80/0 ADD Eb,Ib lock;  80/1 OR  Eb,Ib lock;  80/2 ADC Eb,Ib lock;  80/3 SBB Eb,Ib lock
80/4 AND Eb,Ib lock;  80/5 SUB Eb,Ib lock;  80/6 XOR Eb,Ib lock;  80/7 CMP Eb,Ib
81/0 ADD Ev,Iz lock;  81/1 OR  Ev,Iz lock;  81/2 ADC Ev,Iz lock;  81/3 SBB Ev,Iz lock
81/4 AND Ev,Iz lock;  81/5 SUB Ev,Iz lock;  81/6 XOR Ev,Iz lock;  81/7 CMP Ev,Iz
82/0 ADD Eb,Ib lock i64;  82/1 OR  Eb,Ib lock i64;  82/2 ADC Eb,Ib lock i64;  82/3 SBB Eb,Ib lock i64
82/4 AND Eb,Ib lock i64;  82/5 SUB Eb,Ib lock i64;  82/6 XOR Eb,Ib lock i64;  82/7 CMP Eb,Ib i64
83/0 ADD Ev,Ibs lock;  83/1 OR  Ev,Ibs lock;  83/2 ADC Ev,Ibs lock;  83/3 SBB Ev,Ibs lock
83/4 AND Ev,Ibs lock;  83/5 SUB Ev,Ibs lock;  83/6 XOR Ev,Ibs lock;  83/7 CMP Ev,Ibs
84 TEST Eb,Gb;  85 TEST Ev,Gv;  86 XCHG Eb,Gb lock;  87 XCHG Ev,Gv lock
88 MOV Eb,Gb;  89 MOV Ev,Gv;  8A MOV Gb,Eb;  8B MOV Gv,Ev
8C MOV Ev,Sw;  8D LEA Gv,M;  8E MOV Sw,Ew;  8F/0 POP Ev wide
90 NOP;  F3:90 PAUSE;  91-97 XCHG Zv,rAX
98 CBW;  99 CWD;  9A CALLF Ap i64;  9B FWAIT
9C PUSHF wide;  9D POPF wide;  9E SAHF;  9F LAHF
A0 MOV AL,Ob;  A1 MOV rAX,Ov;  A2 MOV Ob,AL;  A3 MOV Ov,rAX
A4 MOVSB Yb,Xb;  A5 MOVS Yv,Xv;  A6 CMPSB Xb,Yb;  A7 CMPS Xv,Yv
A8 TEST AL,Ib;  A9 TEST rAX,Iz
AA STOSB Yb,AL;  AB STOS Yv,rAX;  AC LODSB AL,Xb;  AD LODS rAX,Xv;  AE SCASB AL,Yb;  AF SCAS rAX,Yv
B0-B7 MOV Zb,Ib;  B8-BF MOV Zv,Iv
C0/0 ROL Eb,Ib;  C0/1 ROR Eb,Ib;  C0/2 RCL Eb,Ib;  C0/3 RCR Eb,Ib
C0/4 SHL Eb,Ib;  C0/5 SHR Eb,Ib;  C0/6 SAL Eb,Ib;  C0/7 SAR Eb,Ib
C1/0 ROL Ev,Ib;  C1/1 ROR Ev,Ib;  C1/2 RCL Ev,Ib;  C1/3 RCR Ev,Ib
C1/4 SHL Ev,Ib;  C1/5 SHR Ev,Ib;  C1/6 SAL Ev,Ib;  C1/7 SAR Ev,Ib
C2 RET Iw wide;  C3 RET wide
C4.m LES Gz,Mp i64;  C5.m LDS Gz,Mp i64
C6/0 MOV Eb,Ib;  C7/0 MOV Ev,Iz
C8 ENTER Iw,Ib wide;  C9 LEAVE wide;  CA RETF Iw;  CB RETF
CC INT3;  CD INT Ib;  CE INTO i64;  CF IRET
D0/0 ROL Eb,1;  D0/1 ROR Eb,1;  D0/2 RCL Eb,1;  D0/3 RCR Eb,1
D0/4 SHL Eb,1;  D0/5 SHR Eb,1;  D0/6 SAL Eb,1;  D0/7 SAR Eb,1
D1/0 ROL Ev,1;  D1/1 ROR Ev,1;  D1/2 RCL Ev,1;  D1/3 RCR Ev,1
D1/4 SHL Ev,1;  D1/5 SHR Ev,1;  D1/6 SAL Ev,1;  D1/7 SAR Ev,1
D2/0 ROL Eb,CL;  D2/1 ROR Eb,CL;  D2/2 RCL Eb,CL;  D2/3 RCR Eb,CL
D2/4 SHL Eb,CL;  D2/5 SHR Eb,CL;  D2/6 SAL Eb,CL;  D2/7 SAR Eb,CL
D3/0 ROL Ev,CL;  D3/1 ROR Ev,CL;  D3/2 RCL Ev,CL;  D3/3 RCR Ev,CL
D3/4 SHL Ev,CL;  D3/5 SHR Ev,CL;  D3/6 SAL Ev,CL;  D3/7 SAR Ev,CL
D4 AAM Ib i64;  D5 AAD Ib i64;  D7 XLAT
E0 LOOPNE Jb wide;  E1 LOOPE Jb wide;  E2 LOOP Jb wide;  E3 JCXZ Jb wide
E4 IN AL,Ib;  E5 IN eAX,Ib;  E6 OUT Ib,AL;  E7 OUT Ib,eAX
E8 CALL Jz wide;  E9 JMP Jz wide;  EA JMPF Ap i64;  EB JMP Jb wide
EC IN AL,DX;  ED IN eAX,DX;  EE OUT DX,AL;  EF OUT DX,eAX
F1 INT1;  F4 HLT;  F5 CMC
F6/0 TEST Eb,Ib;  F6/1 TEST Eb,Ib;  F6/2 NOT Eb lock;  F6/3 NEG Eb lock
F6/4 MUL Eb;  F6/5 IMUL Eb;  F6/6 DIV Eb;  F6/7 IDIV Eb
F7/0 TEST Ev,Iz;  F7/1 TEST Ev,Iz;  F7/2 NOT Ev lock;  F7/3 NEG Ev lock
F7/4 MUL Ev;  F7/5 IMUL Ev;  F7/6 DIV Ev;  F7/7 IDIV Ev
F8 CLC;  F9 STC;  FA CLI;  FB STI;  FC CLD;  FD STD
FE/0 INC Eb lock;  FE/1 DEC Eb lock
FF/0 INC Ev lock;  FF/1 DEC Ev lock;  FF/2 CALL Ev wide;  FF/3.m CALLF Mp
FF/4 JMP Ev wide;  FF/5.m JMPF Mp;  FF/6 PUSH Ev wide
`;

/** Two-byte opcodes, 0F xx (SDM vol. 2D, table A-3). */
export const GENERAL_ROWS_0F = `
00/0 SLDT Ev;  00/1 STR Ev;  00/2 LLDT Ew;  00/3 LTR Ew;  00/4 VERR Ew;  00/5 VERW Ew
01/0.m SGDT Ms;  01/1.m SIDT Ms;  01/2.m LGDT Ms;  01/3.m LIDT Ms
01/4 SMSW Ev;  01/6 LMSW Ew;  01/7.m INVLPG Mb
01/0.r1 VMCALL;  01/3.r1 VMMCALL
01/1.r2 CLAC;  01/1.r3 STAC
01/2.r0 XGETBV;  01/2.r1 XSETBV
01/7.r0 SWAPGS o64;  01/7.r1 RDTSCP
02 LAR Gv,Ew;  03 LSL Gv,Ew
05 SYSCALL;  06 CLTS;  07 SYSRET;  08 INVD;  09 WBINVD;  0B UD2
0D/0 PREFETCH Ev;  0D/1 PREFETCHW Ev;  0D/2-7 PREFETCH Ev
18/0.m PREFETCHNTA Mb;  18/1.m PREFETCHT0 Mb;  18/2.m PREFETCHT1 Mb;  18/3.m PREFETCHT2 Mb
18/0-3.r NOP Ev;  18/4-7 NOP Ev;  19-1D NOP Ev;  1E NOP Ev;  1F NOP Ev
F3:1E/7.r2 ENDBR64;  F3:1E/7.r3 ENDBR32
20 MOV Rd,Cd;  21 MOV Rd,Dd;  22 MOV Cd,Rd;  23 MOV Dd,Rd
30 WRMSR;  31 RDTSC;  32 RDMSR;  33 RDPMC;  34 SYSENTER;  35 SYSEXIT
40-4F CMOV* Gv,Ev
80-8F J* Jz wide
90-9F SET* Eb
A0 PUSH FS wide;  A1 POP FS wide;  A2 CPUID;  A3 BT Ev,Gv;  A4 SHLD Ev,Gv,Ib;  A5 SHLD Ev,Gv,CL
A8 PUSH GS wide;  A9 POP GS wide;  AA RSM;  AB BTS Ev,Gv lock;  AC SHRD Ev,Gv,Ib;  AD SHRD Ev,Gv,CL
NP:AE/0.m FXSAVE M;  NP:AE/1.m FXRSTOR M;  NP:AE/2.m LDMXCSR Md;  NP:AE/3.m STMXCSR Md
NP:AE/4.m XSAVE M;  NP:AE/5.m XRSTOR M;  NP:AE/7.m CLFLUSH Mb
NP:AE/5.r LFENCE;  NP:AE/6.r MFENCE;  NP:AE/7.r SFENCE
F3:AE/0.r RDFSBASE Ry o64;  F3:AE/1.r RDGSBASE Ry o64;  F3:AE/2.r WRFSBASE Ry o64;  F3:AE/3.r WRGSBASE Ry o64
AF IMUL Gv,Ev
B0 CMPXCHG Eb,Gb lock;  B1 CMPXCHG Ev,Gv lock
B2.m LSS Gv,Mp;  B3 BTR Ev,Gv lock;  B4.m LFS Gv,Mp;  B5.m LGS Gv,Mp
B6 MOVZX Gv,Eb;  B7 MOVZX Gv,Ew
F3:B8 POPCNT Gv,Ev;  B9 UD1 Gd,Ed
BA/4 BT Ev,Ib;  BA/5 BTS Ev,Ib lock;  BA/6 BTR Ev,Ib lock;  BA/7 BTC Ev,Ib lock
BB BTC Ev,Gv lock;  BC BSF Gv,Ev;  BD BSR Gv,Ev
BE MOVSX Gv,Eb;  BF MOVSX Gv,Ew
C0 XADD Eb,Gb lock;  C1 XADD Ev,Gv lock
C3.m MOVNTI My,Gy
C7/1.m CMPXCHG8B M lock;  C7/6.r RDRAND Rv;  C7/7.r RDSEED Rv
C8-CF BSWAP Zv
FF UD0 Gd,Ed
`;

/** Three-byte opcodes, 0F 38 xx. */
export const GENERAL_ROWS_0F38 = `
F0.m MOVBE Gv,Mv;  F1.m MOVBE Mv,Gv
F2:F0 CRC32 Gy,Eb;  F2:F1 CRC32 Gy,Ev
`;
