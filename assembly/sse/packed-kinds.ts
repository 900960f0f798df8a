// Which vector operation a packed integer opcode is. V_KINDS: none.

import {
  V_ABS_I8X16,
  V_ABS_I16X8,
  V_ABS_I32X4,
  V_ADD_I8X16,
  V_ADD_I16X8,
  V_ADD_I32X4,
  V_ADD_I64X2,
  V_ADD_SAT_S8X16,
  V_ADD_SAT_S16X8,
  V_ADD_SAT_U8X16,
  V_ADD_SAT_U16X8,
  V_AND,
  V_ANDNOT,
  V_AVG_U8X16,
  V_AVG_U16X8,
  V_DOT_S16X8,
  V_DOT_U8S8,
  V_EQ_I8X16,
  V_EQ_I16X8,
  V_EQ_I32X4,
  V_EQ_I64X2,
  V_GT_S8X16,
  V_GT_S16X8,
  V_GT_S32X4,
  V_GT_S64X2,
  V_HADD_I16X8,
  V_HADD_I32X4,
  V_HADD_SAT_S16X8,
  V_HSUB_I16X8,
  V_HSUB_I32X4,
  V_HSUB_SAT_S16X8,
  V_KINDS,
  V_MAX_S8X16,
  V_MAX_S16X8,
  V_MAX_S32X4,
  V_MAX_U8X16,
  V_MAX_U16X8,
  V_MAX_U32X4,
  V_MIN_S8X16,
  V_MIN_S16X8,
  V_MIN_S32X4,
  V_MIN_U8X16,
  V_MIN_U16X8,
  V_MIN_U32X4,
  V_MUL_EVEN_S32X4,
  V_MUL_EVEN_U32X4,
  V_MUL_HIGH_S16X8,
  V_MUL_HIGH_U16X8,
  V_MUL_I16X8,
  V_MUL_I32X4,
  V_MUL_ROUND_S16X8,
  V_OR,
  V_PACK_S16_S8,
  V_PACK_S16_U8,
  V_PACK_S32_S16,
  V_PACK_S32_U16,
  V_SAD_U8X16,
  V_SHL_I16X8,
  V_SHL_I32X4,
  V_SHL_I64X2,
  V_SHR_S16X8,
  V_SHR_S32X4,
  V_SHR_U16X8,
  V_SHR_U32X4,
  V_SHR_U64X2,
  V_SIGN_I8X16,
  V_SIGN_I16X8,
  V_SIGN_I32X4,
  V_SUB_I8X16,
  V_SUB_I16X8,
  V_SUB_I32X4,
  V_SUB_I64X2,
  V_SUB_SAT_S8X16,
  V_SUB_SAT_S16X8,
  V_SUB_SAT_U8X16,
  V_SUB_SAT_U16X8,
  V_XOR,
} from './vops';

/** Map 0F: on MMX and XMM registers alike. */
export function packedKind(opcode: u32): u32 {
  switch (opcode) {
    case 0x63:
      return V_PACK_S16_S8;
    case 0x64:
      return V_GT_S8X16;
    case 0x65:
      return V_GT_S16X8;
    case 0x66:
      return V_GT_S32X4;
    case 0x67:
      return V_PACK_S16_U8;
    case 0x6b:
      return V_PACK_S32_S16;
    case 0x74:
      return V_EQ_I8X16;
    case 0x75:
      return V_EQ_I16X8;
    case 0x76:
      return V_EQ_I32X4;
    case 0xd1:
      return V_SHR_U16X8;
    case 0xd2:
      return V_SHR_U32X4;
    case 0xd3:
      return V_SHR_U64X2;
    case 0xd4:
      return V_ADD_I64X2;
    case 0xd5:
      return V_MUL_I16X8;
    case 0xd8:
      return V_SUB_SAT_U8X16;
    case 0xd9:
      return V_SUB_SAT_U16X8;
    case 0xda:
      return V_MIN_U8X16;
    case 0xdb:
      return V_AND;
    case 0xdc:
      return V_ADD_SAT_U8X16;
    case 0xdd:
      return V_ADD_SAT_U16X8;
    case 0xde:
      return V_MAX_U8X16;
    case 0xdf:
      return V_ANDNOT;
    case 0xe0:
      return V_AVG_U8X16;
    case 0xe1:
      return V_SHR_S16X8;
    case 0xe2:
      return V_SHR_S32X4;
    case 0xe3:
      return V_AVG_U16X8;
    case 0xe4:
      return V_MUL_HIGH_U16X8;
    case 0xe5:
      return V_MUL_HIGH_S16X8;
    case 0xe8:
      return V_SUB_SAT_S8X16;
    case 0xe9:
      return V_SUB_SAT_S16X8;
    case 0xea:
      return V_MIN_S16X8;
    case 0xeb:
      return V_OR;
    case 0xec:
      return V_ADD_SAT_S8X16;
    case 0xed:
      return V_ADD_SAT_S16X8;
    case 0xee:
      return V_MAX_S16X8;
    case 0xef:
      return V_XOR;
    case 0xf1:
      return V_SHL_I16X8;
    case 0xf2:
      return V_SHL_I32X4;
    case 0xf3:
      return V_SHL_I64X2;
    case 0xf4:
      return V_MUL_EVEN_U32X4;
    case 0xf5:
      return V_DOT_S16X8;
    case 0xf6:
      return V_SAD_U8X16;
    case 0xf8:
      return V_SUB_I8X16;
    case 0xf9:
      return V_SUB_I16X8;
    case 0xfa:
      return V_SUB_I32X4;
    case 0xfb:
      return V_SUB_I64X2;
    case 0xfc:
      return V_ADD_I8X16;
    case 0xfd:
      return V_ADD_I16X8;
    case 0xfe:
      return V_ADD_I32X4;
    default:
      return V_KINDS;
  }
}

/** Map 0F38, SSSE3: on MMX and XMM registers alike. */
export function packedKind38(opcode: u32): u32 {
  switch (opcode) {
    case 0x1:
      return V_HADD_I16X8;
    case 0x2:
      return V_HADD_I32X4;
    case 0x3:
      return V_HADD_SAT_S16X8;
    case 0x4:
      return V_DOT_U8S8;
    case 0x5:
      return V_HSUB_I16X8;
    case 0x6:
      return V_HSUB_I32X4;
    case 0x7:
      return V_HSUB_SAT_S16X8;
    case 0x8:
      return V_SIGN_I8X16;
    case 0x9:
      return V_SIGN_I16X8;
    case 0xa:
      return V_SIGN_I32X4;
    case 0xb:
      return V_MUL_ROUND_S16X8;
    case 0x1c:
      return V_ABS_I8X16;
    case 0x1d:
      return V_ABS_I16X8;
    case 0x1e:
      return V_ABS_I32X4;
    default:
      return V_KINDS;
  }
}

/** Map 0F38, SSE4.1 and SSE4.2: XMM registers only. */
export function packedKind41(opcode: u32): u32 {
  switch (opcode) {
    case 0x28:
      return V_MUL_EVEN_S32X4;
    case 0x29:
      return V_EQ_I64X2;
    case 0x2b:
      return V_PACK_S32_U16;
    case 0x37:
      return V_GT_S64X2;
    case 0x38:
      return V_MIN_S8X16;
    case 0x39:
      return V_MIN_S32X4;
    case 0x3a:
      return V_MIN_U16X8;
    case 0x3b:
      return V_MIN_U32X4;
    case 0x3c:
      return V_MAX_S8X16;
    case 0x3d:
      return V_MAX_S32X4;
    case 0x3e:
      return V_MAX_U16X8;
    case 0x3f:
      return V_MAX_U32X4;
    case 0x40:
      return V_MUL_I32X4;
    default:
      return V_KINDS;
  }
}
