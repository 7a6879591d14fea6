using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;

/// <summary>What all programs here share: one line for each check, and an exit code that says whether all were passed.</summary>
static class Checks
{
    static int failed;

    public static int ExitCode => failed == 0 ? 0 : 1;

    public static async Task Check(string what, Func<Task> check)
    {
        try
        {
            await check();
            Console.WriteLine($"ok   {what}");
        }
        catch (Exception error)
        {
            failed++;
            Console.WriteLine($"FAIL {what}: {error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")}");
        }
    }

    public static void Same<T>(IEnumerable<T> expected, IEnumerable<T> seen)
    {
        if (!expected.SequenceEqual(seen)) throw new Exception($"expected {string.Join(" | ", expected)}, seen {string.Join(" | ", seen)}");
    }

    public static async Task<E> Thrown<E>(Func<Task> ask) where E : Exception
    {
        try
        {
            await ask();
        }
        catch (E error)
        {
            return error;
        }
        throw new Exception($"No {typeof(E).Name} was thrown.");
    }
}
