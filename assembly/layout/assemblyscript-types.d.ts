// AssemblyScript's integer types as tsc may read them: so that files which hold nothing but constants of these types
// (assembly/ir/ops.ts, assembly/sse/vops.ts) can be imported by both compilers.

declare type u32 = number;
declare type usize = number;
