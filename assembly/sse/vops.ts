// Kinds of vector operations: the `kind` of OP_VEC. d, a, b are slots of 16 bytes unless said otherwise; a scalar
// operand is read from the low bytes of its slot, so a general temporary will do. d may be a or b.
//
// Named by what they do to lanes (I: any integer, S: signed, U: unsigned, F: floating point), not after the
// instructions of one architecture.

// --- Integers, lane by lane: d = a op b. ---
export const V_ADD_I8X16: u32 = 0;
export const V_ADD_I16X8: u32 = 1;
export const V_ADD_I32X4: u32 = 2;
export const V_ADD_I64X2: u32 = 3;
export const V_SUB_I8X16: u32 = 4;
export const V_SUB_I16X8: u32 = 5;
export const V_SUB_I32X4: u32 = 6;
export const V_SUB_I64X2: u32 = 7;
/** Saturating. */
export const V_ADD_SAT_S8X16: u32 = 8;
export const V_ADD_SAT_S16X8: u32 = 9;
export const V_ADD_SAT_U8X16: u32 = 10;
export const V_ADD_SAT_U16X8: u32 = 11;
export const V_SUB_SAT_S8X16: u32 = 12;
export const V_SUB_SAT_S16X8: u32 = 13;
export const V_SUB_SAT_U8X16: u32 = 14;
export const V_SUB_SAT_U16X8: u32 = 15;
/** Low half of the product. */
export const V_MUL_I16X8: u32 = 16;
export const V_MUL_I32X4: u32 = 17;
/** High half of the product. */
export const V_MUL_HIGH_S16X8: u32 = 18;
export const V_MUL_HIGH_U16X8: u32 = 19;
/** (a × b + 0x4000) >> 15. */
export const V_MUL_ROUND_S16X8: u32 = 20;
/** Lanes 0 and 2 to 64-bit products. */
export const V_MUL_EVEN_U32X4: u32 = 21;
export const V_MUL_EVEN_S32X4: u32 = 22;
/** Sums of adjacent products: S16 × S16 to 32 bits; U8 × S8 saturated to 16 bits. */
export const V_DOT_S16X8: u32 = 23;
export const V_DOT_U8S8: u32 = 24;
/** Rounded up average. */
export const V_AVG_U8X16: u32 = 25;
export const V_AVG_U16X8: u32 = 26;
/** Sum of absolute differences of 8 bytes, to each 64-bit lane. */
export const V_SAD_U8X16: u32 = 27;
export const V_MIN_S8X16: u32 = 28;
export const V_MIN_U8X16: u32 = 29;
export const V_MIN_S16X8: u32 = 30;
export const V_MIN_U16X8: u32 = 31;
export const V_MIN_S32X4: u32 = 32;
export const V_MIN_U32X4: u32 = 33;
export const V_MAX_S8X16: u32 = 34;
export const V_MAX_U8X16: u32 = 35;
export const V_MAX_S16X8: u32 = 36;
export const V_MAX_U16X8: u32 = 37;
export const V_MAX_S32X4: u32 = 38;
export const V_MAX_U32X4: u32 = 39;
/** All ones where true. */
export const V_EQ_I8X16: u32 = 40;
export const V_EQ_I16X8: u32 = 41;
export const V_EQ_I32X4: u32 = 42;
export const V_EQ_I64X2: u32 = 43;
export const V_GT_S8X16: u32 = 44;
export const V_GT_S16X8: u32 = 45;
export const V_GT_S32X4: u32 = 46;
export const V_GT_S64X2: u32 = 47;
export const V_AND: u32 = 48;
export const V_OR: u32 = 49;
export const V_XOR: u32 = 50;
/** ~a & b. */
export const V_ANDNOT: u32 = 51;
/** a negated, zeroed or kept by the sign of b. */
export const V_SIGN_I8X16: u32 = 52;
export const V_SIGN_I16X8: u32 = 53;
export const V_SIGN_I32X4: u32 = 54;
/** |a|; the most negative number stays. */
export const V_ABS_I8X16: u32 = 55;
export const V_ABS_I16X8: u32 = 56;
export const V_ABS_I32X4: u32 = 57;
/** Sums and differences (even - odd) of adjacent lanes, those of a below those of b. */
export const V_HADD_I16X8: u32 = 58;
export const V_HADD_I32X4: u32 = 59;
export const V_HADD_SAT_S16X8: u32 = 60;
export const V_HSUB_I16X8: u32 = 61;
export const V_HSUB_I32X4: u32 = 62;
export const V_HSUB_SAT_S16X8: u32 = 63;

// --- Shifts. The count is the low 64 bits of b, or imm; too large a count gives 0, or for S the sign. ---
export const V_SHIFTS: u32 = 64;
export const V_SHL_I16X8: u32 = 64;
export const V_SHL_I32X4: u32 = 65;
export const V_SHL_I64X2: u32 = 66;
export const V_SHR_U16X8: u32 = 67;
export const V_SHR_U32X4: u32 = 68;
export const V_SHR_U64X2: u32 = 69;
export const V_SHR_S16X8: u32 = 70;
export const V_SHR_S32X4: u32 = 71;
export const V_SHLI_I16X8: u32 = 72;
export const V_SHLI_I32X4: u32 = 73;
export const V_SHLI_I64X2: u32 = 74;
export const V_SHRI_U16X8: u32 = 75;
export const V_SHRI_U32X4: u32 = 76;
export const V_SHRI_U64X2: u32 = 77;
export const V_SHRI_S16X8: u32 = 78;
export const V_SHRI_S32X4: u32 = 79;

// --- Rearranging. ---
export const V_SHUFFLES: u32 = 80;
/** Lanes of a, then of b, narrowed with signed or unsigned saturation. */
export const V_PACK_S16_S8: u32 = 80;
export const V_PACK_S16_U8: u32 = 81;
export const V_PACK_S32_S16: u32 = 82;
export const V_PACK_S32_U16: u32 = 83;
/** Lanes of the low or high halves, alternating between a and b. */
export const V_ZIP_LOW_I8X16: u32 = 84;
export const V_ZIP_LOW_I16X8: u32 = 85;
export const V_ZIP_LOW_I32X4: u32 = 86;
export const V_ZIP_LOW_I64X2: u32 = 87;
export const V_ZIP_HIGH_I8X16: u32 = 88;
export const V_ZIP_HIGH_I16X8: u32 = 89;
export const V_ZIP_HIGH_I32X4: u32 = 90;
export const V_ZIP_HIGH_I64X2: u32 = 91;
/** Bytes of a picked by the bytes of b (bit 7 set: 0). */
export const V_SHUFFLE_BYTES: u32 = 92;
/** Low lanes of a, sign- or zero-extended. */
export const V_SEXT_8_16: u32 = 93;
export const V_SEXT_8_32: u32 = 94;
export const V_SEXT_8_64: u32 = 95;
export const V_SEXT_16_32: u32 = 96;
export const V_SEXT_16_64: u32 = 97;
export const V_SEXT_32_64: u32 = 98;
export const V_ZEXT_8_16: u32 = 99;
export const V_ZEXT_8_32: u32 = 100;
export const V_ZEXT_8_64: u32 = 101;
export const V_ZEXT_16_32: u32 = 102;
export const V_ZEXT_16_64: u32 = 103;
export const V_ZEXT_32_64: u32 = 104;
/** Even, odd 32-bit lanes of a doubled; the low 64 bits of a twice. */
export const V_DUP_EVEN_32: u32 = 105;
export const V_DUP_ODD_32: u32 = 106;
export const V_DUP_LOW_64: u32 = 107;
/** a, its lane 0 replaced by that of b. */
export const V_MOVE_LOW_32: u32 = 108;
export const V_MOVE_LOW_64: u32 = 109;
/** a, its high half replaced by the low half of b; its low half replaced by the high half of b. */
export const V_MOVE_TO_HIGH_64: u32 = 110;
export const V_MOVE_FROM_HIGH_64: u32 = 111;
/** Lane 0 of a, zeros above. */
export const V_ZERO_ABOVE_32: u32 = 112;
export const V_ZERO_ABOVE_64: u32 = 113;
/** Lane from b where bit imm[lane] is set, else from a; where the lane's sign in the vector at slot imm is set. */
export const V_BLEND_I16X8: u32 = 114;
export const V_BLENDV_I8X16: u32 = 115;
export const V_BLENDV_I32X4: u32 = 116;
export const V_BLENDV_I64X2: u32 = 117;

// --- Rearranging by an immediate, and what else looks at single lanes. ---
export const V_LANES: u32 = 118;
/** The whole vector by imm bytes. */
export const V_SHL_BYTES: u32 = 118;
export const V_SHR_BYTES: u32 = 119;
/** Four lanes of a picked by the bit pairs of imm; of the low, of the high half only. */
export const V_SHUFFLE_I32X4: u32 = 120;
export const V_SHUFFLE_LOW_I16X8: u32 = 121;
export const V_SHUFFLE_HIGH_I16X8: u32 = 122;
/** Two lanes of a, then two of b, picked by bit pairs of imm; one lane of each by bits 0 and 1. */
export const V_SHUFFLE_F32X4: u32 = 123;
export const V_SHUFFLE_F64X2: u32 = 124;
/** (a:b) >> 8 × imm. */
export const V_ALIGN_BYTES: u32 = 125;
/** a, lane imm replaced by the low bits of b. */
export const V_INSERT_I8X16: u32 = 126;
export const V_INSERT_I16X8: u32 = 127;
export const V_INSERT_I32X4: u32 = 128;
export const V_INSERT_I64X2: u32 = 129;
/** INSERTPS: 32-bit lane imm[7:6] of b to lane imm[5:4], then lanes in imm[3:0] zeroed. */
export const V_INSERT_F32X4: u32 = 130;
/** MPSADBW: 8 sums of absolute differences of 4 bytes. */
export const V_MPSAD: u32 = 131;
/** Smallest 16-bit lane of a, and its index. */
export const V_MIN_POS_U16X8: u32 = 132;
/** Approximate 1/a, 1/√a: relative error below 1.5 × 2^-12; no exceptions. Scalar: a above lane 0, source b. */
export const V_RECIPROCAL_F32X4: u32 = 133;
export const V_RSQRT_F32X4: u32 = 134;
export const V_RECIPROCAL_SCALAR_F32: u32 = 135;
export const V_RSQRT_SCALAR_F32: u32 = 136;

// --- To a general register: d is a 64-bit slot, zero-extended. ---
export const V_SCALAR: u32 = 137;
/** Sign bits of the lanes of a. */
export const V_BITMASK_I8X16: u32 = 137;
export const V_BITMASK_I32X4: u32 = 138;
export const V_BITMASK_I64X2: u32 = 139;
/** Lane imm of a. */
export const V_EXTRACT_I8X16: u32 = 140;
export const V_EXTRACT_I16X8: u32 = 141;
export const V_EXTRACT_I32X4: u32 = 142;
export const V_EXTRACT_I64X2: u32 = 143;

// --- Floating-point arithmetic: rounds by MXCSR, sets its flags, may raise #XM (d is then unchanged). Forms: packed
// single and double; scalar, which takes all but lane 0 from a. Kind = V_FLOAT + operation × 4 + form. ---
export const V_FLOAT: u32 = 144;
export const V_ADD_F32X4: u32 = 144;
export const V_ADD_F64X2: u32 = 145;
export const V_ADD_SCALAR_F32: u32 = 146;
export const V_ADD_SCALAR_F64: u32 = 147;
export const V_MUL_F32X4: u32 = 148;
export const V_MUL_F64X2: u32 = 149;
export const V_MUL_SCALAR_F32: u32 = 150;
export const V_MUL_SCALAR_F64: u32 = 151;
export const V_SUB_F32X4: u32 = 152;
export const V_SUB_F64X2: u32 = 153;
export const V_SUB_SCALAR_F32: u32 = 154;
export const V_SUB_SCALAR_F64: u32 = 155;
/** a < b ? a : b, so b if equal or unordered. */
export const V_MIN_F32X4: u32 = 156;
export const V_MIN_F64X2: u32 = 157;
export const V_MIN_SCALAR_F32: u32 = 158;
export const V_MIN_SCALAR_F64: u32 = 159;
export const V_DIV_F32X4: u32 = 160;
export const V_DIV_F64X2: u32 = 161;
export const V_DIV_SCALAR_F32: u32 = 162;
export const V_DIV_SCALAR_F64: u32 = 163;
/** a > b ? a : b. */
export const V_MAX_F32X4: u32 = 164;
export const V_MAX_F64X2: u32 = 165;
export const V_MAX_SCALAR_F32: u32 = 166;
export const V_MAX_SCALAR_F64: u32 = 167;
/** Root of b. */
export const V_SQRT_F32X4: u32 = 168;
export const V_SQRT_F64X2: u32 = 169;
export const V_SQRT_SCALAR_F32: u32 = 170;
export const V_SQRT_SCALAR_F64: u32 = 171;
/** All ones where predicate imm (0–7: EQ LT LE UNORD NEQ NLT NLE ORD) holds. */
export const V_CMP_F32X4: u32 = 172;
export const V_CMP_F64X2: u32 = 173;
export const V_CMP_SCALAR_F32: u32 = 174;
export const V_CMP_SCALAR_F64: u32 = 175;
/** b rounded to an integral value as imm says (ROUNDPS). */
export const V_ROUND_F32X4: u32 = 176;
export const V_ROUND_F64X2: u32 = 177;
export const V_ROUND_SCALAR_F32: u32 = 178;
export const V_ROUND_SCALAR_F64: u32 = 179;
/** Adjacent lanes of a, then of b; packed forms only. */
export const V_HADD_F32X4: u32 = 180;
export const V_HADD_F64X2: u32 = 181;
export const V_HSUB_F32X4: u32 = 182;
export const V_HSUB_F64X2: u32 = 183;
/** Even lanes subtracted, odd lanes added. */
export const V_ADDSUB_F32X4: u32 = 184;
export const V_ADDSUB_F64X2: u32 = 185;
/** DPPS, DPPD: products of the lanes in imm[7:4], their sum to the lanes in imm[3:0]. */
export const V_DOT_F32X4: u32 = 186;
export const V_DOT_F64X2: u32 = 187;

// --- Conversions; exceptions as above. ---
/** Low two lanes of a to double; both lanes of a to single, zeros above. */
export const V_CVT_F32_F64X2: u32 = 188;
export const V_CVT_F64_F32X2: u32 = 189;
/** a with lane 0 replaced by the converted lane 0 of b. */
export const V_CVT_SCALAR_F32_F64: u32 = 190;
export const V_CVT_SCALAR_F64_F32: u32 = 191;
/** Signed 32-bit lanes of a. */
export const V_CVT_S32_F32X4: u32 = 192;
export const V_CVT_S32_F64X2: u32 = 193;
/** To signed 32-bit lanes (from double: zeros above); imm 1: truncating. What does not fit becomes 0x80000000. */
export const V_CVT_F32_S32X4: u32 = 194;
export const V_CVT_F64_S32X2: u32 = 195;
/** a with lane 0 replaced by the signed integer in b. */
export const V_CVT_S32_SCALAR_F32: u32 = 196;
export const V_CVT_S32_SCALAR_F64: u32 = 197;
export const V_CVT_S64_SCALAR_F32: u32 = 198;
export const V_CVT_S64_SCALAR_F64: u32 = 199;
/** Lane 0 of a to a general register (d is a 64-bit slot, zero-extended); imm 1: truncating. */
export const V_CVT_SCALAR_F32_S32: u32 = 200;
export const V_CVT_SCALAR_F64_S32: u32 = 201;
export const V_CVT_SCALAR_F32_S64: u32 = 202;
export const V_CVT_SCALAR_F64_S64: u32 = 203;

// --- Results in EFLAGS; d is not used. ---
export const V_FLAGS: u32 = 204;
/** COMISS, COMISD (imm 1: QNaNs are invalid) and UCOMIS…: exceptions as above. */
export const V_COMPARE_F32: u32 = 204;
export const V_COMPARE_F64: u32 = 205;
/** ZF = !(a & b), CF = !(~a & b). */
export const V_TEST: u32 = 206;

/** Number of kinds. */
export const V_KINDS: u32 = 207;
