namespace Edm.Contracts.Http;

/// <summary>How the columns of a file are to be read, instead of by their names.</summary>
/// <param name="Columns">
/// Name of a column to <c>email</c>, <c>handle</c>, <c>nickname</c>, <c>firstName</c>, <c>lastName</c>, <c>followers</c>, <c>country</c>, <c>language</c>, <c>category</c>,
/// <c>bio</c>, <c>profileUrl</c>, <c>tags</c>, <c>attribute</c>, <c>attribute:NAME</c> or <c>ignore</c>. Columns that are not named are recognised as always; those of a file
/// without a header are called <c>column 1</c>, <c>column 2</c> ...
/// </param>
public sealed record ImportMappingBody(IReadOnlyDictionary<string, string> Columns);

/// <summary>A saved mapping of columns.</summary>
public sealed record ImportMappingView(string Name, IReadOnlyDictionary<string, string> Columns, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>All mappings of a user, by name.</summary>
public sealed record ImportMappingsView(IReadOnlyList<ImportMappingView> Items);

/// <summary>What EDM makes of a file, without storing anything.</summary>
/// <param name="Format">csv, ndjson or json.</param>
/// <param name="Dialect">How a CSV file is written; null for JSON.</param>
/// <param name="Rows">The first rows that can be used, as they would be stored.</param>
/// <param name="Errors">Those among the first rows that can't be used.</param>
/// <param name="Sample">The cells of the first rows as they stand in a CSV file.</param>
/// <param name="Problem">Why the file as a whole can't be imported as it is; null when it can.</param>
public sealed record ImportPreview(
    string File, string? Format, ImportDialectView? Dialect, IReadOnlyList<ImportColumnView> Columns, IReadOnlyList<ImportRowView> Rows, IReadOnlyList<ImportErrorView> Errors,
    IReadOnlyList<IReadOnlyList<string>> Sample, ImportFileProblem? Problem);

/// <summary>How a CSV file is written, and what spoke for it.</summary>
/// <param name="Encoding">utf-8, utf-16le, utf-16be, gb18030 or windows-1252.</param>
/// <param name="Bom">Whether it begins with a byte order mark.</param>
/// <param name="Escape">What stands before a quote inside of a quoted value: the quote itself, or a backslash.</param>
/// <param name="LineEnd">LF, CRLF or CR.</param>
/// <param name="SkipInitialSpace">Whether spaces after a delimiter belong to it.</param>
/// <param name="HasHeader">Whether a row names the columns.</param>
/// <param name="HeaderRow">The line in which the header begins, counted from 1; null when there is none.</param>
/// <param name="TrailingDelimiter">Whether each row ends in a delimiter with nothing behind.</param>
public sealed record ImportDialectView(
    string Encoding, bool Bom, string EncodingReason, string Delimiter, string Quote, string Escape, string LineEnd, bool SkipInitialSpace, bool HasHeader, long? HeaderRow,
    bool TrailingDelimiter, string DelimiterReason, string HeaderReason);

/// <summary>What is made of a column.</summary>
/// <param name="Index">From 0; in JSON the order in which the names came.</param>
/// <param name="Header">As the file writes it; null when it has none.</param>
/// <param name="Field">email, handle, ..., attribute or ignore.</param>
/// <param name="Attribute">The name of the attribute; null where it is none.</param>
/// <param name="Type">Of its values: text, number, percent, date or boolean. They are stored in one form where it isn't text.</param>
public sealed record ImportColumnView(int Index, string? Header, string Field, string? Attribute, string Type, string Reason);

/// <summary>A row as it would be stored.</summary>
public sealed record ImportRowView(
    long Line, string Email, string? Handle, string? Nickname, long? Followers, string? Country, string? Language, string? Category, string? Bio, IReadOnlyList<string> Tags,
    IReadOnlyDictionary<string, string> Attributes);

/// <summary>Why a row can't be used.</summary>
public sealed record ImportErrorView(long Line, string Column, string Value, string Reason);

/// <summary>Why a file can't be imported.</summary>
/// <param name="Offset">In bytes from the start of the file, unpacked.</param>
public sealed record ImportFileProblem(string Message, long? Line, long? Offset);
